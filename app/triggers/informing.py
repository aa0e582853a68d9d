"""Telling informants what became of their declaration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from app.country import Action, Country, Recipient, place_of
from app.database.engine import Database
from app.decisions.decision import Decision
from app.decisions.store import Decisions
from app.decisions.timed_calls import CountryTimeout, TimedCalls
from app.notifications.catalogue import informant_message
from app.notifications.planning import Policy, informed, not_informed
from app.notifications.variables import informant_variables
from app.opencrvs.offices import Offices
from app.outbox.delivery import Delivery, Dropped, Failed, NewDelivery, Outcome, Retry, Sent
from app.outbox.overtaking import is_overtaken
from app.outbox.states import Reason
from app.records.informant import Informant
from app.triggers.speaking import Speaking

log = structlog.get_logger()

CHANNEL = "informant"

_calls = TimedCalls(most_hanging=8)


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
            return (not_informed(message, self.policy),)
        return (
            NewDelivery(
                key=CHANNEL,
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
        message = informant_message(decision.event_type, decision.action_type)
        if message is None:
            return Dropped(f"{decision.action_type} is no news any more")
        asked = self.decisions.asked(decision)
        action = asked.action.after(decision.answer)
        try:
            who = _calls(lambda: self._informant(action), self.timeout)
        except CountryTimeout as error:
            return Retry(f"the informant rule: {error}")
        except Exception as error:
            log.exception("informant.crashed", event_type=decision.event_type)
            return Retry(f"the informant rule raised {type(error).__name__} at {place_of(error)}: mend rules.py")
        if who is None:
            return Dropped("nobody: the informant rule names none")
        office = self._office(asked.pending.created_at_location, asked.token)
        variables = informant_variables(
            message,
            decision.event_type,
            tracking_id=decision.tracking_id,
            informant=who,
            office=office,
            registration_number=decision.answer.get("registrationNumber", ""),
            reason=(asked.pending.content or {}).get("reason", ""),
        )
        wished = who.language or action.declaration.get(self.language_field)
        languages = self.speaking.to(Recipient(who.name, who.email, who.mobile), wished)
        return Sent(follow_ups=[informed(message, who, variables, replace(self.policy, languages=languages))])

    def _office(self, location_id: str | None, token: str) -> str:
        """Its name, "" where core has not told it."""
        if location_id is None:
            return ""
        self.offices.fill(token, location_id)
        office = self.offices.find(location_id)
        return office.name if office is not None else ""

    def _informant(self, action: Action) -> Informant | None:
        rule = self.country.informant_rule(action.event.type)
        who = rule(action)
        if who is not None and not isinstance(who, Informant):
            raise TypeError(f"an informant rule answers with an Informant or None, not with {type(who).__name__}")
        return who
