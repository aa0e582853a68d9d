"""Who is told of an event: the active subscriptions that name its type, and whose filter lets it through."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import structlog
from sqlalchemy import exists, select

from app.database.engine import Database
from app.database.tables import event_types, subscriptions
from app.outbox.delivery import NewDelivery
from app.outbox.states import Priority
from app.webhooks.event import Event
from app.webhooks.json_logic import InvalidLogic, LogicTooExpensive, compile_logic, truthy
from app.webhooks.subscription import Subscription
from app.webhooks.subscriptions import Subscriptions

CHANNEL = "webhook"

log = structlog.get_logger()

Filter = Callable[[Any], Any]


class Publisher:
    """Says what an event owes. Filters are compiled once, and again when a subscription has changed."""

    def __init__(self, database: Database, kept: Subscriptions) -> None:
        self._database = database
        self._subscriptions = kept
        self._lock = threading.Lock()
        self._active: list[tuple[Subscription, Filter | None]] = []
        self._seen: set[str] = set()

    def is_needed(self) -> bool:
        """Whether anybody is told of anything. Raises DatabaseAway, and nothing else."""
        with self._database.reading() as connection:
            return bool(connection.scalar(select(exists().where(subscriptions.c.active.is_(True)))))

    def known(self) -> list[str]:
        """The names that were remembered, by themselves."""
        with self._database.reading() as connection:
            return list(connection.scalars(select(event_types.c.name).order_by(event_types.c.name)))

    def owed(self, event: Event) -> list[NewDelivery]:
        """A delivery for each subscription that is told of it. Raises DatabaseAway and UnknownKey."""
        owed = [owed_to(subscription, event, wanted) for subscription, wanted in self._all()]
        return [delivery for delivery in owed if delivery is not None]

    def remember(self, name: str) -> None:
        """Put the name of an event type that was made as it came into the catalogue, once."""
        if name in self._seen:
            return
        with self._database.transaction() as connection:
            connection.execute(self._database.insert(event_types).values(name=name).on_conflict_do_nothing())
        self._seen.add(name)

    def _all(self) -> list[tuple[Subscription, Filter | None]]:
        with self._lock:
            if self._subscriptions.revisions() != {one.id: one.rev for one, _ in self._active}:
                self._active = [(one, filter_of(one)) for one in self._subscriptions.active()]
            return self._active


def filter_of(subscription: Subscription) -> Filter | None:
    """Its filter, compiled; None where it has none."""
    if subscription.wish.filter is None:
        return None
    try:
        return compile_logic(subscription.wish.filter)
    except InvalidLogic as error:  # it was good when it was saved, by an older version
        log.error("subscription.filter_broken", subscription_id=subscription.id, reason=str(error))
        return lambda _: False


def owed_to(
    subscription: Subscription, event: Event, wanted: Filter | None = None, run: str = ""
) -> NewDelivery | None:
    """The delivery of an event to a subscription that names its type and whose filter, `wanted`, lets it through.

    `run` tells a replay from the first time.
    """
    if not subscription.wish.covers(event.type):
        return None
    owed = delivery_to(subscription, event, run)
    try:
        return owed if wanted is None or truthy(wanted(event.for_filter())) else None
    except LogicTooExpensive:
        advice = "its client must simplify it: such events are not told"
        log.error("subscription.filter_too_expensive", subscription_id=subscription.id, advice=advice)
        return None


def delivery_to(subscription: Subscription, event: Event, run: str = "") -> NewDelivery:
    """The same, whatever the subscription names."""
    revision = f".{event.revision}" if event.revision > 1 else ""
    return NewDelivery(
        key=f"webhook.{subscription.id}.{event.type.name}{revision}{run}",
        channel=CHANNEL,
        destination=subscription.destination,
        priority=Priority.TRANSACTIONAL,
        message=event.type.name,
        recipient=urlsplit(subscription.wish.url).hostname,
        payload={"subscription": subscription.id},
    )
