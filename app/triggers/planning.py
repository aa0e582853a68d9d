"""The sender of the `plan` channel: it sends nothing, and says what the trigger owes."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import and_, exists, select

from app.database.engine import Database
from app.database.tables import deliveries, triggers
from app.notifications.planning import Policy, plan
from app.outbox.delivery import Delivery, Dropped, Failed, Outcome, Sender, Sent, Trigger
from app.outbox.states import Reason, State
from app.triggers.catalogue import TriggerType

_EVENTS = "events/"


def planner(kinds: Mapping[str, TriggerType], policy: Policy, database: Database, plan_action: Sender) -> Sender:
    """Plans what a trigger owes by its type; `plan_action` does it for those that asked for a decision."""

    def send(delivery: Delivery) -> Outcome:
        trigger = delivery.trigger
        if trigger.path.startswith(_EVENTS):
            return plan_action(delivery)
        kind = kinds.get(trigger.path)
        if kind is None:
            return Failed(f"no trigger {trigger.path} is declared any more: put it back into rules.py, then retry")
        if kind.repeats_within and is_repeat(database, trigger, kind.repeats_within):
            return Dropped(Reason.REPEATED)
        return Sent(follow_ups=plan(kind.message, trigger.payload, trigger.received_at, policy))

    return send


def is_repeat(database: Database, trigger: Trigger, within: float) -> bool:
    """Whether the same was received in the `within` seconds before, and was not itself dropped as a repeat.

    Ids are ordered by time, so of two that arrive together exactly one is the repeat.
    """
    earlier = triggers.alias("earlier")
    dropped_as_repeat = exists().where(
        deliveries.c.trigger_id == earlier.c.id,
        deliveries.c.state == State.DROPPED,
        deliveries.c.reason == Reason.REPEATED,
    )
    statement = select(
        exists().where(
            and_(
                earlier.c.fingerprint == trigger.fingerprint,
                earlier.c.received_at >= trigger.received_at - within,
                earlier.c.id < trigger.id,
                ~dropped_as_repeat,
            )
        )
    )
    with database.reading() as connection:
        return bool(connection.scalar(statement))
