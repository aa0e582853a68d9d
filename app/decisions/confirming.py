"""Accepting or rejecting by hand what was deferred: by another system, or by an operator."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy.exc import IntegrityError

from app.database.audit import Author
from app.database.engine import DatabaseAway
from app.decisions.additions import Additions
from app.decisions.confirmer import NO_CREDENTIALS
from app.decisions.decision import Decision
from app.decisions.forms import NoNumber
from app.decisions.rulings import Ruling, Verdict
from app.decisions.states import DecisionState
from app.decisions.store import Decisions

log = structlog.get_logger()


class UnknownAction(Exception):
    """Core never asked about an action of this id."""

    def __init__(self) -> None:
        super().__init__("core never asked about an action of this id")


class DecidedOtherwise(Exception):
    """It was decided before, and not like this."""


class BeingDecided(Exception):
    """The rules are being asked right now: try again in a moment."""


class NoLateReject(Exception):
    """Core 2.0 takes no late reject of this type of action."""

    def __init__(self, action_type: str) -> None:
        super().__init__(f"core 2.0 takes no late reject of {action_type}: it can only be rejected at once, by a rule")


class TokenDead(Exception):
    """There is nothing to confirm this action with."""

    def __init__(self) -> None:
        super().__init__(NO_CREDENTIALS)


@dataclass(frozen=True)
class Confirming:
    """Resolves what is deferred, or what core refused. The same again is harmless, and tells core again.

    `has_client` says that a system client of ours is configured, which can confirm without the action's own token.
    """

    decisions: Decisions
    has_client: bool
    additions: Additions

    def resolve(self, action_id: str, ruling: Ruling, by: Author) -> None:
        """Write the ruling down and owe it to core; `by` says in the log and the audit whose word it is.

        Raises UnknownAction, BeingDecided, DecidedOtherwise, NoLateReject, TokenDead, UnfitAdditionsError, NoNumber and
        DatabaseAway.
        """
        decision = self._find(action_id)
        if ruling.verdict is Verdict.REJECT and not self.decisions.may_reject_late(decision):
            raise NoLateReject(decision.action_type)
        can_confirm = self.has_client or self.decisions.has_token(decision)
        if decision.state is not DecisionState.CONFIRMED and not can_confirm:
            raise TokenDead
        if decision.state in (DecisionState.DEFERRED, DecisionState.REFUSED):
            if self.decisions.is_at_core_2_1(decision):
                self.additions.check(self.decisions.asked(decision).action, ruling)
            if self._resolved(decision, ruling, by):
                self._say(decision, ruling, by)
                return
            decision = self._find(action_id)  # somebody else was quicker: was it with the same?
        if decision.state is DecisionState.DECIDING:
            raise BeingDecided("the rules are being asked right now: try again in a moment")
        if not _says_the_same(decision, ruling):
            raise DecidedOtherwise(f"this action is {decision.state} already, with {decision.verdict}")
        if decision.state is not DecisionState.CONFIRMED:
            self.decisions.tell_core(decision, ruling.verdict, by)
            self._say(decision, ruling, by)

    def _find(self, action_id: str) -> Decision:
        decision = self.decisions.find_by_action(action_id)
        if decision is None:
            raise UnknownAction
        return decision

    def _resolved(self, decision: Decision, ruling: Ruling, by: Author) -> bool:
        try:
            return self.decisions.resolve(decision, self.decisions.asked(decision).action, ruling, by)
        except (NoNumber, DatabaseAway):
            raise
        except IntegrityError:
            raise NoNumber("the registration number is taken by another record") from None
        except Exception as error:
            log.exception("registration_number.failed", event_type=decision.event_type)
            raise NoNumber(f"registration_number of rules.py raised {type(error).__name__}: see the log") from error

    @staticmethod
    def _say(decision: Decision, ruling: Ruling, by: Author) -> None:
        log.info(
            "decision.resolved",
            event_id=decision.event_id,
            action_id=decision.action_id,
            verdict=ruling.verdict,
            by=by.name,
        )


def _says_the_same(decision: Decision, ruling: Ruling) -> bool:
    if decision.verdict is not ruling.verdict:
        return False
    number = ruling.registration_number
    if number is not None and number != decision.answer.get("registrationNumber"):
        return False
    added = decision.answer.get("declaration", {})
    if not all(key in added and added[key] == value for key, value in ruling.declaration.items()):
        return False
    return ruling.annotation is None or ruling.annotation == decision.answer.get("annotation")
