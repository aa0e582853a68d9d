"""From triggers to the events that other systems are told of.

A trigger owes one `publish` delivery as soon as there is news, and that owes what each subscription is told: so
nothing that is wrong with webhooks holds up a message to a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.decisions.decision import Decision
from app.decisions.rulings import Verdict
from app.decisions.states import DecisionState
from app.decisions.store import Decisions
from app.outbox.delivery import Delivery, Dropped, NewDelivery, Outcome, Sender, Sent, Trigger
from app.outbox.states import Priority
from app.records.state import aggregated_declaration, declaration_if_accepted, merge, merged_declaration
from app.triggers.catalogue import TriggerType
from app.triggers.consequences import holds
from app.triggers.event_types import minimal, minimal_of_user, record_event_type, user_event_type
from app.webhooks.event import Event, event_id
from app.webhooks.publishing import Publisher

CHANNEL = "publish"
DESTINATION = "webhooks"

_EVENTS = "events/"
_VERDICTS = {"accepted": Verdict.ACCEPT, "rejected": Verdict.REJECT}


@dataclass(frozen=True)
class Publishing:
    """Works out events from triggers and decisions."""

    kinds: Mapping[str, TriggerType]
    decisions: Decisions
    publisher: Publisher

    def with_news(self, sender: Sender) -> Sender:
        """`sender` plans or confirms; where that makes news, it is owed in the write that ends its try."""

        def send(delivery: Delivery) -> Outcome:
            outcome = sender(delivery)
            of_record = delivery.trigger.path.startswith(_EVENTS)
            if not isinstance(outcome, Sent) and not (of_record and isinstance(outcome, Dropped)):
                return outcome
            phase = delivery.key
            if of_record:
                decision = self.decisions.find_by_trigger(delivery.trigger.id)
                if decision is None:
                    return outcome
                self.publisher.remember(decision.event_type)
                phase = f"{delivery.key}.{decision.runs}.{decision.state}"
            if not self.publisher.is_needed():
                return outcome
            news = NewDelivery(f"publish.{phase}", CHANNEL, DESTINATION, Priority.TRANSACTIONAL)
            return replace(outcome, follow_ups=[*outcome.follow_ups, news])

        return send

    def publish(self, delivery: Delivery) -> Outcome:
        """The sender of the `publish` channel. What was owed before under the same key is not owed twice."""
        owed = [new for event in self.events(delivery.trigger) for new in self.publisher.owed(event)]
        return Sent(follow_ups=owed)

    def event(self, trigger: Trigger, name: str) -> Event | None:
        """The event of this type, as it was owed: what became of the action since makes no difference.

        None where it was decided otherwise since.
        """
        if not trigger.path.startswith(_EVENTS):
            return next((event for event in self._of_user(trigger) if event.type.name == name), None)
        decision = self.decisions.find_by_trigger(trigger.id)
        phase = name.rpartition(".")[2]
        if decision is None or (phase in _VERDICTS and decision.verdict is not _VERDICTS[phase]):
            return None
        return self._of_record(trigger, decision, [phase])[0]

    def events(self, trigger: Trigger) -> list[Event]:
        """All that the trigger tells of by now."""
        if not trigger.path.startswith(_EVENTS):
            return self._of_user(trigger)
        decision = self.decisions.find_by_trigger(trigger.id)
        return [] if decision is None else self._of_record(trigger, decision, phases(decision))

    def _of_user(self, trigger: Trigger) -> list[Event]:
        kind = self.kinds.get(trigger.path)
        if kind is None:
            return []
        data = {name: value for name, value in trigger.payload.items() if name not in kind.secrets}
        event_type = user_event_type(kind)
        return [
            Event(event_id(trigger.id, event_type.name), event_type, trigger.received_at, minimal_of_user(data), data)
        ]

    def _of_record(self, trigger: Trigger, decision: Decision, told_of: Sequence[str]) -> list[Event]:
        asked = self.decisions.asked(decision)
        document, pending = asked.document, asked.pending
        before = aggregated_declaration(document)
        base: dict[str, Any] = {
            "eventId": document.id,
            "trackingId": document.tracking_id,
            "eventType": document.type,
            "actionId": pending.id,
            "action": pending.type,
            "createdAt": pending.created_at,
            "createdBy": pending.created_by,
            "createdByUserType": pending.created_by_user_type,
            "createdByRole": pending.created_by_role,
            "createdAtLocation": pending.created_at_location,
            "annotation": pending.annotation,
            "content": pending.content,
        }
        told = []
        for phase in told_of:
            declaration = merged_declaration(document, pending)
            extra: dict[str, Any] = {}
            occurred_at, revision = trigger.received_at, 1
            if phase in _VERDICTS:
                occurred_at, revision = decision.decided_at or occurred_at, decision.runs
            if phase == "accepted":
                declaration = merge(declaration_if_accepted(document, pending), decision.answer.get("declaration", {}))
                extra = {
                    "registrationNumber": decision.answer.get("registrationNumber"),
                    "annotation": {**(pending.annotation or {}), **decision.answer.get("annotation", {})} or None,
                }
            elif phase in ("rejected", "deferred"):
                extra = {"reason": decision.reason}
            changes = sorted(name for name, value in declaration.items() if before.get(name) != value)
            data = base | extra | {"declaration": declaration, "changes": changes}
            data = {name: value for name, value in data.items() if value is not None}
            event_type = record_event_type(document.type, pending.type, phase)
            known_as = event_id(trigger.id, event_type.name, revision)
            told.append(Event(known_as, event_type, occurred_at, minimal(data), data, revision))
        return told


def phases(decision: Decision) -> list[str]:
    """What there is to tell of a decision by now, in the order in which it came about."""
    if decision.state is DecisionState.DECIDING:
        return ["requested"]
    if holds(decision):
        return ["requested", "accepted"]
    if decision.verdict is Verdict.REJECT and decision.state in (DecisionState.REJECTED, DecisionState.CONFIRMED):
        return ["requested", "rejected"]
    # What is being confirmed may have been accepted at once, and core is only told once more.
    return ["requested", "deferred"] if decision.state is DecisionState.DEFERRED else ["requested"]
