"""Accepting or rejecting by hand what was deferred: by another system, or by an operator."""

from __future__ import annotations

from dataclasses import dataclass

from app.decisions.decision import Decision
from app.decisions.rulings import Ruling, Verdict
from app.decisions.states import DecisionState
from app.decisions.store import Decisions
from app.opencrvs.confirmations import may_reject_late

_DECIDED = (DecisionState.ACCEPTED, DecisionState.REJECTED, DecisionState.CONFIRMING, DecisionState.CONFIRMED)


class UnknownAction(Exception):
    """Core never asked about an action of this id."""

    def __init__(self) -> None:
        super().__init__("core never asked about an action of this id")


class DecidedOtherwise(Exception):
    """It was decided before, and not like this; or is being decided right now."""


class NoLateReject(Exception):
    """Core takes no late reject of this type of action."""

    def __init__(self, action_type: str) -> None:
        super().__init__(f"core takes no late reject of {action_type}: it can only be rejected at once, by a rule")


@dataclass(frozen=True)
class Confirming:
    """Resolves what is deferred. The same again is harmless."""

    decisions: Decisions

    def find(self, action_id: str) -> Decision:
        """Raises UnknownAction."""
        decision = self.decisions.find_by_action(action_id)
        if decision is None:
            raise UnknownAction
        return decision

    def resolve(self, action_id: str, ruling: Ruling) -> None:
        """Write the ruling down and owe it to core.

        Raises UnknownAction, DecidedOtherwise, NoLateReject, NoNumber, DatabaseAway, and what the country's
        registration_number raises.
        """
        decision = self.find(action_id)
        if decision.state is DecisionState.DEFERRED:
            if ruling.verdict is Verdict.REJECT and not may_reject_late(decision.action_type):
                raise NoLateReject(decision.action_type)
            if self.decisions.resolve(decision, self.decisions.asked(decision).action, ruling):
                return
            decision = self.find(action_id)  # somebody else was quicker: was it with the same?
        if not _says_the_same(decision, ruling):
            raise DecidedOtherwise(f"this action is {decision.state} already" + _verdict(decision))


def _says_the_same(decision: Decision, ruling: Ruling) -> bool:
    if decision.state not in _DECIDED or decision.verdict is not ruling.verdict:
        return False
    number = ruling.registration_number
    if number is not None and number != decision.answer.get("registrationNumber"):
        return False
    added = decision.answer.get("declaration", {})
    return all(key in added and added[key] == value for key, value in ruling.declaration.items())


def _verdict(decision: Decision) -> str:
    return f", with {decision.verdict}" if decision.verdict else ""
