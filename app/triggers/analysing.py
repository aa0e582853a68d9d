"""Writing what was accepted into the tables for statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.analytics.accepting import rows_if_accepted
from app.analytics.computing import TookTooLong
from app.analytics.json_text import Unfit
from app.analytics.marking import Marking, Markings, MarkingUnavailable
from app.analytics.rows import EventRows, event_rows
from app.analytics.store import STALE, AnalyticsStore
from app.analytics.tables import Unusable
from app.database.engine import DatabaseAway
from app.decisions.decision import Decision
from app.decisions.store import Decisions
from app.outbox.delivery import Delivery, Dropped, Failed, NewDelivery, Outcome, Retry, Sent
from app.outbox.states import Priority
from app.triggers.consequences import holds, is_being_confirmed

CHANNEL = "analytics"


@dataclass(frozen=True)
class Analysing:
    """Without a store nothing is owed, nor of an event type of which nothing is kept."""

    decisions: Decisions
    store: AnalyticsStore | None
    markings: Markings

    def owed(self, decision: Decision) -> Sequence[NewDelivery]:
        """A consequence: to write the event as it is once this action is accepted."""
        if self.store is None or not self.markings.may_concern(decision.event_type):
            return ()
        return (
            NewDelivery(
                # Where core refused what was decided first, what was decided then is written too.
                key=f"{CHANNEL}.{decision.runs}",
                channel=CHANNEL,
                destination=CHANNEL,
                priority=Priority.BULK,
                message=f"{decision.event_type} {decision.action_type}",
                subject=decision.event_id,
            ),
        )

    def write(self, delivery: Delivery) -> Outcome:
        """The sender of the `analytics` channel."""
        decision = self.decisions.find_by_trigger(delivery.trigger.id)
        if decision is None:
            return Failed("there is no decision on this trigger")
        if is_being_confirmed(decision):
            return Retry("it is being confirmed at core")
        if not holds(decision):
            return Dropped("it does not hold any more: what was decided was changed")
        if self.store is None:
            return Dropped("ANALYTICS_DATABASE_URL is not set any more")
        try:
            marking = self.markings.of(decision.event_type)
            if marking is None:
                return Dropped("its event type is not marked for analytics")
        except MarkingUnavailable as error:
            return Retry(str(error), destination_down=True)
        try:
            rows = self._rows(decision, marking)
        except (TookTooLong, MarkingUnavailable) as error:
            return Retry(str(error))
        except Unfit as error:
            return Failed(str(error))
        return self._written(self.store, rows)

    def _written(self, store: AnalyticsStore, rows: EventRows) -> Outcome:
        try:
            (unwritten,) = store.write([rows])
        except Unfit as error:
            return Failed(str(error))
        except Unusable as error:
            return Retry(str(error), destination_down=True)
        except DatabaseAway:
            return Retry("the database of ANALYTICS_DATABASE_URL is away", destination_down=True)
        if unwritten is None:
            return Sent("written")
        return Dropped(STALE) if unwritten.reason == STALE else Failed(unwritten.reason)

    def _rows(self, decision: Decision, marking: Marking) -> EventRows:
        """Of the record as core has it, where core has said; the record may have changed since core asked."""
        confirmed = self.decisions.confirmed_record(decision)
        if confirmed is not None:
            return event_rows(confirmed, marking)
        asked = self.decisions.asked(decision)
        return rows_if_accepted(asked.document, asked.pending, decision.answer, marking)
