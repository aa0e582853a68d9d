"""The sender of the `replay` channel: what happened in a span of time is owed to a subscription once more."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, exists, select

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


def replay(since: float, until: float, *, only_failed: bool) -> NewDelivery:
    """What is owed for a replay of what was received from `since` until before `until`, in UTC seconds."""
    return _turn({"after": _first_id(since), "until": _first_id(until), "onlyFailed": only_failed}, 0)


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
        span = delivery.payload
        rows = self._rows(subscription, span)
        wanted = filter_of(subscription)
        run = f".{delivery.trigger.id}"
        owed = [
            (row.id, new)
            for row in rows
            for event in self.events(self._trigger(row))
            if (new := owed_to(subscription, event, wanted, run)) is not None
        ]
        if span["onlyFailed"]:
            failed = self._failed(subscription, [row.id for row in rows])
            owed = [(trigger_id, new) for trigger_id, new in owed if (trigger_id, new.message) in failed]
        with self.database.transaction() as connection:
            store.add(connection, self.database, self.cipher, owed)
        if len(rows) < _BATCH:
            return Sent(f"{len(owed)} owed again")
        following = _turn({**span, "after": rows[-1].id}, int(span["turn"]) + 1)
        return Sent(f"{len(owed)} owed again, and more to look at", follow_ups=[following])

    def _rows(self, subscription: Subscription, span: Any) -> Sequence[Row[Any]]:
        statement = (
            select(triggers)
            .where(triggers.c.id > span["after"], triggers.c.id < span["until"])
            .order_by(triggers.c.id)
            .limit(_BATCH)
        )
        if span["onlyFailed"]:
            statement = statement.where(
                exists().where(
                    deliveries.c.trigger_id == triggers.c.id,
                    deliveries.c.channel == CHANNEL,
                    deliveries.c.destination == subscription.destination,
                    deliveries.c.state == State.FAILED,
                )
            )
        with self.database.reading() as connection:
            return connection.execute(statement).all()

    def _failed(self, subscription: Subscription, trigger_ids: Sequence[str]) -> set[tuple[str, str]]:
        """Triggers and event types that this subscription was not told of, and is not about to be."""
        with self.database.reading() as connection:
            rows = connection.execute(
                select(deliveries.c.trigger_id, deliveries.c.message, deliveries.c.state).where(
                    deliveries.c.trigger_id.in_(trigger_ids),
                    deliveries.c.channel == CHANNEL,
                    deliveries.c.destination == subscription.destination,
                )
            ).all()
        failed = {(row.trigger_id, row.message) for row in rows if row.state == State.FAILED}
        return failed - {(row.trigger_id, row.message) for row in rows if row.state != State.FAILED}

    def _trigger(self, row: Row[Any]) -> Trigger:
        """Without its secrets: no event tells of them."""
        payload = self.cipher.decrypt(row.payload)
        return Trigger(row.id, row.path, row.received_at, row.request_id, row.fingerprint, payload)


def _turn(span: dict[str, Any], number: int) -> NewDelivery:
    return NewDelivery(
        key=f"replay.{number}",
        channel="replay",
        destination="replay",
        priority=Priority.BULK,
        payload={**span, "turn": number},
    )


def _first_id(seconds: float) -> str:
    """Where ids that were made at this time begin: they sort by it."""
    return str(uuid.UUID(int=int(seconds * 1000) << 80))
