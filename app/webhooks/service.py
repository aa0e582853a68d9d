"""What clients may do with subscriptions, whichever API they come by."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, and_, select

from app.access.clients import Client
from app.database import audit
from app.database.audit import Author, What
from app.database.engine import Database
from app.database.tables import attempts, deliveries
from app.encryption import Cipher
from app.outbox import operations
from app.outbox.delivery import NewDelivery, Trigger
from app.outbox.operations import Change
from app.webhooks import own_events, replaying
from app.webhooks.addresses import AllowedAddresses
from app.webhooks.event import Category, EventType
from app.webhooks.formats import FORMATS
from app.webhooks.publishing import CHANNEL, delivery_to
from app.webhooks.subscription import DESTINATION, Subscription, Wish
from app.webhooks.subscriptions import Subscriptions, UnknownSubscription


class BadSecret(ValueError):
    """A secret that the format cannot sign with."""


class NeverTold(ValueError):
    """There is no event type of this name; `position` is its place among those that were asked for."""

    def __init__(self, position: int) -> None:
        super().__init__("There is no event type of this name: see /webhooks/event-types")
        self.position = position


class Busy(Exception):
    """Other addresses are being checked at the moment."""


class ReplayUnderWay(Exception):
    """The subscription is being replayed to already."""


class NoSuchEventType(ValueError):
    """The subscription is told of no event of this type."""


_checking = threading.BoundedSemaphore(2)  # of the threads that core's calls need, too
_LONGEST_CHECK = 5.0  # seconds


@dataclass(frozen=True)
class WebhookService:
    """All of it raises DatabaseAway, and UnknownSubscription for one that is not the client's.

    `event_types` are all that there are by now.
    """

    database: Database
    cipher: Cipher
    subscriptions: Subscriptions
    allowed: AllowedAddresses
    event_types: Callable[[], Sequence[EventType]]

    def create(
        self, client: Client, wish: Wish, secret: str | None, author: Author, *, active: bool = True
    ) -> tuple[Subscription, str]:
        """Returns the secret, too. Raises ForbiddenUrl and BadSecret."""
        self._check_types(wish)
        self._check([wish.url])
        secret = _secret(wish, secret)
        made = self.subscriptions.create(client.id, wish, secret, active=active)
        self._audit(author, What.SUBSCRIPTION_CREATE, made)
        return made, secret

    def change(
        self, subscription: Subscription, wish: Wish, author: Author, *, active: bool | None, secret: str | None
    ) -> Subscription:
        """Raises ForbiddenUrl, BadSecret and ChangedMeanwhile."""
        if wish.event_types != subscription.wish.event_types:
            self._check_types(wish)
        if wish.url != subscription.wish.url:
            self._check([wish.url])
        # Another format may not be able to sign with the secret that there is.
        for one in (secret,) if secret is not None else subscription.secrets[:1]:
            _secret(wish, one)
        changed = self.subscriptions.change(subscription, wish, active=active, secret=secret)
        self._audit(author, What.SUBSCRIPTION_CHANGE, changed)
        return changed

    def rotate(self, subscription: Subscription, secret: str | None, author: Author) -> tuple[Subscription, str]:
        """The new secret and the one before are both valid for a day. Raises BadSecret and ChangedMeanwhile."""
        secret = _secret(subscription.wish, secret)
        rotated = self.subscriptions.rotate(subscription, secret)
        self._audit(author, What.SUBSCRIPTION_CHANGE, rotated)
        return rotated, secret

    def delete(self, subscription: Subscription, author: Author) -> None:
        """What is still owed to it is dropped when it is due."""
        self.subscriptions.delete(subscription.id, subscription.client_id)
        self._audit(author, What.SUBSCRIPTION_DELETE, subscription)

    def test(self, subscriptions: Sequence[Subscription], name: str | None, request_id: str) -> str:
        """Owe an example to each, of the event type `name` or the first that it is told of. Returns the event's id.

        Raises ForbiddenUrl and NoSuchEventType.
        """
        self._check([subscription.wish.url for subscription in subscriptions])
        covered = subscriptions[0].wish.covers
        known = [*self.event_types(), own_events.SUBSCRIPTION_DISABLED]
        kind = next((one for one in known if covered(one) and name in (None, one.name)), None)
        if kind is None:
            raise NoSuchEventType
        told = {key: getattr(kind, key) for key in ("name", "topic", "category", "example", "publisher")}

        def owed(trigger: Trigger) -> list[NewDelivery]:
            event = own_events.event_of(trigger)
            assert event is not None  # noqa: S101  it is ours
            return [delivery_to(one, event) for one in subscriptions]

        with self.database.transaction() as connection:
            trigger_id = own_events.keep(
                connection, self.database, self.cipher, own_events.TEST, {"eventType": told}, request_id, owed
            )
        return own_events.id_of_test(trigger_id, kind.name)

    def replay(
        self, subscription: Subscription, since: float, until: float, request_id: str, *, only_failed: bool
    ) -> None:
        """Have the worker owe once more what happened between these UTC seconds. Raises ReplayUnderWay."""
        payload = {"subscription": subscription.id}
        owed = [replaying.replay(subscription.id, since, until, only_failed=only_failed)]
        with self.database.transaction() as connection:
            if replaying.is_under_way(connection, subscription.id):
                raise ReplayUnderWay
            own_events.keep(connection, self.database, self.cipher, replaying.PATH, payload, request_id, lambda _: owed)

    def deliveries(self, subscription: Subscription, before: str | None, limit: int) -> Sequence[Row[Any]]:
        """The newest first, those with ids below `before`; each with what came of its last try."""
        last = and_(attempts.c.delivery_id == deliveries.c.id, attempts.c.number == deliveries.c.attempts)
        statement = (
            select(deliveries, attempts.c.answer)
            .outerjoin(attempts, last)
            .where(deliveries.c.channel == CHANNEL, deliveries.c.destination == subscription.destination)
            .order_by(deliveries.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            statement = statement.where(deliveries.c.id < before)
        with self.database.reading() as connection:
            return connection.execute(statement).all()

    def retry(self, client: Client, delivery_id: str, author: Author) -> Change:
        """Try a delivery again now. Raises UnknownSubscription where it is none of the client's."""
        found = operations.show(self.database, delivery_id)
        if found is None or not found.delivery.destination.startswith(DESTINATION):
            raise UnknownSubscription
        self.subscriptions.find(found.delivery.destination.removeprefix(DESTINATION), client.id)
        return operations.retry(self.database, [delivery_id], author)

    def _check_types(self, wish: Wish) -> None:
        """Raises NeverTold for a name that nothing has or will have. Records of any type may come."""
        known = {*Category, *(one.name for one in self.event_types())}
        ends = {".".join(name.split(".")[-2:]) for name in known if name.startswith("events.")}
        for position, name in enumerate(wish.event_types):
            is_of_record = name.startswith("events.") and ".".join(name.split(".")[-2:]) in ends
            if "*" not in name and name not in known and not is_of_record:
                raise NeverTold(position)

    def _check(self, urls: Sequence[str]) -> None:
        """Raises ForbiddenUrl, and Busy where others are being checked: a name server that hangs stops nobody else.

        Of many, those that are not reached in time are checked when they are sent to.
        """
        if not _checking.acquire(blocking=False):
            raise Busy
        try:
            until = time.monotonic() + _LONGEST_CHECK
            for url in dict.fromkeys(urls):
                if time.monotonic() < until:
                    self.allowed.check_url(url)
        finally:
            _checking.release()

    def _audit(self, author: Author, what: What, subscription: Subscription) -> None:
        with self.database.transaction() as connection:
            audit.record(connection, author, what, [subscription.id])


def changed_wish(wish: Wish, values: dict[str, Any]) -> Wish:
    """The wish with these values laid over it."""
    return Wish(**{**asdict(wish), "event_types": wish.event_types, "attributes": wish.attributes, **values})


def _secret(wish: Wish, secret: str | None) -> str:
    chosen = FORMATS[wish.format]
    if secret is None:
        return chosen.new_secret()
    if problem := chosen.problem_of(secret):
        raise BadSecret(problem)
    return secret
