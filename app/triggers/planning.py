"""The sender of the `plan` channel: it sends nothing, and says what the trigger owes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import and_, exists, or_, select

from app.country import Recipient
from app.database.engine import Database
from app.database.tables import deliveries, triggers
from app.notifications.catalogue import ALERT
from app.notifications.planning import Policy, plan
from app.outbox.delivery import Delivery, Dropped, Failed, Outcome, Sender, Sent, Trigger
from app.outbox.places import PLAN
from app.outbox.secrets import WITHOUT_SECRETS
from app.outbox.states import Reason, State
from app.records.informant import full_name
from app.triggers.catalogue import TriggerType
from app.triggers.place_lists import PATH, place_list_delivery
from app.triggers.speaking import Speaking

_EVENTS = "events/"


def planner(
    kinds: Mapping[str, TriggerType], policy: Policy, speaking: Speaking, database: Database, plan_action: Sender
) -> Sender:
    """Plans what a trigger owes by its type; `plan_action` does it for those that asked for a decision."""

    def send(delivery: Delivery) -> Outcome:
        trigger = delivery.trigger
        if trigger.path.startswith(_EVENTS):
            return plan_action(delivery)
        if trigger.path == PATH:
            return Sent(follow_ups=[place_list_delivery(trigger)])
        kind = kinds.get(trigger.path)
        if kind is None:
            return Failed(f"no trigger {trigger.path} is declared any more: put it back into rules.py, then retry")
        if kind.repeats_within and is_repeat(database, trigger, kind.repeats_within):
            return Dropped(Reason.REPEATED)
        to_them = policy if kind.message.announcement or kind.message is ALERT else spoken(trigger.payload["recipient"])
        return Sent(follow_ups=plan(kind.message, trigger.payload, trigger.received_at, to_them))

    def spoken(recipient: Mapping[str, Any]) -> Policy:
        name = full_name(recipient.get("name"))
        person = Recipient(name, recipient.get("email", ""), recipient.get("mobile", ""))
        return replace(policy, languages=speaking.to(person))

    return send


def is_repeat(database: Database, trigger: Trigger, within: float) -> bool:
    """Whether the same was received in the `within` seconds before, and went out or is going to.

    One that came to nothing may be sent again: a repeat that was dropped itself, or a failure that was mended since.
    Ids are ordered by time, so of two that arrive together exactly one is the repeat.
    """
    earlier = triggers.alias("earlier")
    to_people = deliveries.c.channel.not_in(WITHOUT_SECRETS)
    under_way = and_(to_people, deliveries.c.state.in_([State.QUEUED, State.SENDING]))
    went_out = and_(to_people, deliveries.c.channel != PLAN, deliveries.c.state.in_([State.SENT, State.DELIVERED]))
    statement = select(
        exists().where(
            earlier.c.fingerprint == trigger.fingerprint,
            earlier.c.received_at >= trigger.received_at - within,
            earlier.c.id < trigger.id,
            deliveries.c.trigger_id == earlier.c.id,
            or_(under_way, went_out),
        )
    )
    with database.reading() as connection:
        return bool(connection.scalar(statement))
