"""The sender of the `replay` channel: what happened in a span of time is owed to a subscription once more."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, exists, select

from app.database.engine import Database
from app.database.tables import deliveries, triggers
from app.encryption import Cipher
from app.outbox import store
from app.outbox.delivery import Delivery, Dropped, NewDelivery, Outcome, Sent, Trigger
from app.outbox.states import Priority, State
from app.webhooks.event import Event
from app.webhooks.publishing import CHANNEL, filter_of, owed_to
from app.webhooks.subscription import Subscription
from app.webhooks.subscriptions import Subscriptions, UnknownSubscription

PATH = "webhooks:replay"
_BATCH = 200  # triggers a turn, so that a replay of years holds up nobody

AllEvents = Callable[[Trigger], Sequence[Event]]
"""All events that a trigger tells of by now."""


def replay(subscription_id: str, since: float, until: float, *, only_failed: bool) -> NewDelivery:
    """What is owed for a replay of what was received from `since` until before `until`, in UTC seconds."""
    span = {"after": _first_id(since), "until": _first_id(until), "onlyFailed": only_failed}
    return _turn(subscription_id, span, 0)


def is_under_way(connection: Connection, subscription_id: str) -> bool:
    """Whether an earlier replay to this subscription is still being worked off."""
    return bool(
        connection.scalar(
            select(
                exists().where(
                    deliveries.c.subject == f"replay {subscription_id}",
                    deliveries.c.state.in_([State.QUEUED, State.SENDING]),
                )
            )
        )
    )


@dataclass(frozen=True)
class Replaying:
    """Works off a replay in turns, each of which owes the next."""

    database: Database
    cipher: Cipher
    subscriptions: Subscriptions
    events: AllEvents

    def send(self, delivery: Delivery) -> Outcome:
        """One turn."""
        try:
            subscription = self.subscriptions.find(str(delivery.trigger.payload["subscription"]))
        except UnknownSubscription:
            return Dropped("the subscription was deleted")
        if not subscription.active:
            return Dropped("the subscription is not active")
        span = delivery.payload
        rows = self._rows(span)
        wanted = filter_of(subscription)
        run = f".{delivery.trigger.id}"
        owed = [
            (row.id, new)
            for row in rows
            for event in self.events(self._trigger(row))
            if (new := owed_to(subscription, event, wanted, run)) is not None
        ]
        if span["onlyFailed"]:
            taken = self._not_failed(subscription, [row.id for row in rows])
            owed = [(trigger_id, new) for trigger_id, new in owed if (trigger_id, new.message) not in taken]
        with self.database.transaction() as connection:
            store.add(connection, self.database, self.cipher, owed)
        if len(rows) < _BATCH:
            return Sent(f"{len(owed)} owed again")
        following = _turn(subscription.id, {**span, "after": rows[-1].id}, int(span["turn"]) + 1)
        return Sent(f"{len(owed)} owed again, and more to look at", follow_ups=[following])

    def _rows(self, span: Any) -> Sequence[Row[Any]]:
        statement = (
            select(triggers)
            .where(triggers.c.id > span["after"], triggers.c.id < span["until"])
            .order_by(triggers.c.id)
            .limit(_BATCH)
        )
        with self.database.reading() as connection:
            return connection.execute(statement).all()

    def _not_failed(self, subscription: Subscription, trigger_ids: Sequence[str]) -> set[tuple[str, str]]:
        """Triggers and event types that this subscription has taken, or is about to be told of."""
        with self.database.reading() as connection:
            rows = connection.execute(
                select(deliveries.c.trigger_id, deliveries.c.message).where(
                    deliveries.c.trigger_id.in_(trigger_ids),
                    deliveries.c.channel == CHANNEL,
                    deliveries.c.destination == subscription.destination,
                    deliveries.c.state != State.FAILED,
                )
            ).all()
        return {(row.trigger_id, row.message) for row in rows}

    def _trigger(self, row: Row[Any]) -> Trigger:
        """Without its secrets: no event tells of them."""
        payload = self.cipher.decrypt(row.payload)
        return Trigger(row.id, row.path, row.received_at, row.request_id, row.fingerprint, payload)


def _turn(subscription_id: str, span: dict[str, Any], number: int) -> NewDelivery:
    return NewDelivery(
        key=f"replay.{number}",
        channel="replay",
        destination="replay",
        priority=Priority.BULK,
        subject=f"replay {subscription_id}",
        payload={**span, "turn": number},
    )


def _first_id(seconds: float) -> str:
    """Where ids that were made at this time begin: they sort by it."""
    return str(uuid.UUID(int=max(0, min(int(seconds * 1000), 2**48 - 1)) << 80))
