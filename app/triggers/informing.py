"""Telling informants what became of their declaration."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import structlog

from app.country import Action, Country, Recipient
from app.country.country import ANY
from app.country.loading import place_of
from app.database.engine import Database
from app.decisions.decision import Decision
from app.decisions.store import Decisions
from app.notifications.catalogue import informant_message
from app.notifications.planning import Policy, informed, switched_off
from app.notifications.variables import informant_variables
from app.opencrvs.offices import Offices
from app.outbox.delivery import Delivery, Dropped, Failed, NewDelivery, Outcome, Retry, Sent
from app.outbox.overtaking import is_overtaken
from app.outbox.states import Reason
from app.records.actions import Action as RecordAction
from app.records.informant import Informant, informant_of
from app.records.state import declaration_if_accepted
from app.timed_calls import CountryTimeout, TimedCalls
from app.triggers.consequences import holds, is_being_confirmed
from app.triggers.speaking import Speaking

log = structlog.get_logger()

CHANNEL = "informant"

_calls: dict[str, TimedCalls] = {}  # by event type, so that one that hangs holds up no other
_lock = threading.Lock()


@dataclass(frozen=True)
class Informing:
    """`hold` and `timeout` are in seconds: how long news waits for newer news, and what a country's rule may take.

    `language_field` is the field of a declaration that may say in which language the informant is written to.
    """

    database: Database
    decisions: Decisions
    country: Country
    offices: Offices
    policy: Policy
    speaking: Speaking
    language_field: str
    hold: float
    timeout: float

    def owed(self, decision: Decision) -> Sequence[NewDelivery]:
        """To work out who is told, once no newer news can overtake it; nothing where this action is no news."""
        message = informant_message(decision.event_type, decision.action_type)
        if message is None:
            return ()
        if not self.policy.methods:
            return (switched_off(message, self.policy),)
        return (
            NewDelivery(
                # Where core refused what was decided first, what was decided then is told too.
                key=f"{CHANNEL}.{decision.runs}",
                channel=CHANNEL,
                destination=CHANNEL,
                priority=message.priority,
                message=message.name,
                subject=decision.event_id,
                due_in=self.hold,
            ),
        )

    def inform(self, delivery: Delivery) -> Outcome:
        """The sender of the `informant` channel: it owes the message itself."""
        if is_overtaken(self.database, delivery, within=self.hold):
            return Dropped(Reason.SUPERSEDED)
        decision = self.decisions.find_by_trigger(delivery.trigger.id)
        if decision is None:
            return Failed("there is no decision on this trigger")
        if is_being_confirmed(decision):
            return Retry("it is being confirmed at core")
        if not holds(decision):
            return Dropped("it does not hold any more: what was decided was changed")
        message = informant_message(decision.event_type, decision.action_type)
        if message is None:
            return Dropped(f"{decision.action_type} is no news any more")
        asked = self.decisions.asked(decision)
        declaration = declaration_if_accepted(asked.document, asked.pending)
        action = replace(asked.action, declaration=declaration).after(decision.answer)
        try:
            who = self._informant(action)
        except CountryTimeout as error:
            return Retry(f"the informant rule: {error}")
        except WrongAnswer as error:
            return Retry(f"{error}: mend rules.py")
        except Exception as error:
            log.exception("informant.crashed", event_type=decision.event_type)
            return Retry(f"the informant rule raised {type(error).__name__} at {place_of(error)}: mend rules.py")
        if who is None:
            return Dropped("nobody: the informant rule names none")
        office = self._office(asked.pending, asked.token)
        variables = informant_variables(
            message,
            decision.event_type,
            tracking_id=decision.tracking_id,
            informant=who,
            office=office,
            registration_number=decision.answer.get("registrationNumber", ""),
            reason=_reason(asked.pending.content),
        )
        wished = who.language or action.declaration.get(self.language_field)
        languages = self.speaking.to(Recipient(who.name, who.email, who.mobile), wished)
        owed = informed(message, who, variables, replace(self.policy, languages=languages))
        return Sent(follow_ups=[_of_run(owed, decision.runs)])

    def _office(self, pending: RecordAction, token: str) -> str:
        """The name that it had on the day of the action, "" where core has not told it."""
        location_id = pending.created_at_location
        if location_id is None:
            return ""
        self.offices.fill(token, location_id)
        office = self.offices.find(location_id, pending.created_at[:10])
        return office.name if office is not None else ""

    def _informant(self, action: Action) -> Informant | None:
        """By the country's rule; without one, by the shipped one, which needs no watching."""
        event_type = action.event.type
        rule = self.country.informant_rule(event_type)
        if rule is None:
            return informant_of(action.declaration)
        of = event_type if event_type in self.country.informants else ANY
        with _lock:
            calls = _calls.setdefault(of, TimedCalls(most_hanging=8))
        return _checked(calls(lambda: rule(action), self.timeout))


class WrongAnswer(TypeError):
    """A rule answered with what an informant rule may not answer with."""


def _checked(who: Any) -> Informant | None:
    """An answer of a country's rule; None counts as no text. Raises WrongAnswer."""
    if who is None:
        return None
    if not isinstance(who, Informant):
        raise WrongAnswer(f"an informant rule answers with an Informant or None, not with {type(who).__name__}")
    values = asdict(who)
    for name, value in values.items():
        if value is not None and not isinstance(value, str):
            raise WrongAnswer(f"{name} of an Informant is a text, not {type(value).__name__}")
    return Informant(**{name: value or "" for name, value in values.items()})


def _reason(content: Any) -> str:
    """What the registrar wrote; the content of an approval may be anything."""
    reason = content.get("reason") if isinstance(content, Mapping) else None
    return reason if isinstance(reason, str) else ""


def _of_run(owed: NewDelivery, run: int) -> NewDelivery:
    """Kept apart from what was owed when the same was decided before."""
    otherwise = _of_run(owed.otherwise, run) if owed.otherwise is not None else None
    return replace(owed, key=f"{owed.key}.{run}", otherwise=otherwise)
