"""Subscriptions in the database. A client sees only its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, Double, Row, and_, exists, func, literal, select, true, update

from app.cleaning import clean
from app.database.clock import now
from app.database.engine import Database
from app.database.identifiers import new_id
from app.database.tables import clients, deliveries, destinations, subscriptions
from app.encryption import Cipher
from app.outbox import store
from app.outbox.states import State
from app.outbox.store import state_is
from app.webhooks.subscription import DESTINATION, Subscription, Wish, destination_of

MOST_OF_A_CLIENT = 200
_MOST_OLD_SECRETS = 3
ROTATION = 86_400.0  # seconds for which a replaced secret stays valid


class UnknownSubscription(Exception):
    """This client has no subscription of this id."""

    def __init__(self) -> None:
        super().__init__("You have no subscription with this id")


class TooMany(Exception):
    """This client has as many subscriptions as one may have."""

    def __init__(self) -> None:
        super().__init__(f"You have {MOST_OF_A_CLIENT} subscriptions, and no client may have more: delete one first")


class ChangedMeanwhile(Exception):
    """It is not the revision any more that the change was made of."""

    def __init__(self, rev: int) -> None:
        super().__init__(f"It was changed meanwhile: it is at revision {rev}. Get it again, then change that")


class Subscriptions:
    """Keeps subscriptions. All methods raise DatabaseAway, and UnknownKey where SECRET_KEY has lost a key."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    def create(self, client_id: str, wish: Wish, secret: str, *, active: bool = True) -> Subscription:
        """Keep a new one. Raises TooMany."""
        subscription_id = new_id()
        with self._database.transaction() as connection:
            its = select(func.count()).where(subscriptions.c.client_id == client_id)
            if connection.execute(its).scalar_one() >= MOST_OF_A_CLIENT:
                raise TooMany
            row = connection.execute(
                self._database.insert(subscriptions)
                .values(
                    id=subscription_id,
                    client_id=client_id,
                    rev=1,
                    active=active,
                    content=self._cipher.encrypt(asdict(wish)),
                    secrets=self._cipher.encrypt([{"secret": secret, "until": None}]),
                    created_at=now(),
                    updated_at=now(),
                )
                .returning(subscriptions, _NOW)
            ).one()
            self._set_rate(connection, subscription_id, wish)
        return self._subscription(row)

    def of_client(self, client_id: str) -> list[Subscription]:
        """A client's, the oldest first."""
        return self._all(subscriptions.c.client_id == client_id)

    def all(self) -> list[Subscription]:
        """Those of all clients that were not revoked, the oldest first."""
        return self._all(_OF_A_CLIENT)

    def waiting(self) -> dict[str, int]:
        """How many deliveries are owed, by the ids of the subscriptions."""
        owed = (
            select(deliveries.c.destination, func.count())
            .where(deliveries.c.channel == "webhook", state_is(State.QUEUED))
            .group_by(deliveries.c.destination)
        )
        with self._database.reading() as connection:
            return {name.removeprefix(DESTINATION): count for name, count in connection.execute(owed)}

    def active(self) -> list[Subscription]:
        """Those that are told of events."""
        return self._all(_IS_TOLD)

    def revisions(self) -> dict[str, int]:
        """The ids of those that are told of events, each with its revision."""
        statement = select(subscriptions.c.id, subscriptions.c.rev).where(_IS_TOLD)
        with self._database.reading() as connection:
            return {row.id: row.rev for row in connection.execute(statement)}

    def find(self, subscription_id: str, client_id: str | None = None) -> Subscription:
        """One, if it is this client's, and the client was not revoked. Raises UnknownSubscription."""
        with self._database.reading() as connection:
            row = connection.execute(_SELECT.where(_is(subscription_id, client_id), _OF_A_CLIENT)).one_or_none()
        if row is None:
            raise UnknownSubscription
        return self._subscription(row)

    def change(
        self, subscription: Subscription, wish: Wish, *, active: bool | None = None, secret: str | None = None
    ) -> Subscription:
        """Put this wish in the place of the one that was read. `secret` takes the place of all others at once.

        What has failed at another address, or with other secrets, is forgotten.

        Raises ChangedMeanwhile, and UnknownSubscription where it was deleted.
        """
        before = subscription.wish
        values: dict[str, Any] = {"content": self._cipher.encrypt(asdict(wish))}
        if wish.format != before.format and secret is None:
            secret = subscription.secrets[0]  # the other format may not be able to sign with older ones
        if secret is not None or (wish.url, wish.headers) != (before.url, before.headers):
            values["failing_since"] = None
        if active is not None:
            values |= _SWITCHED_ON if active else {"active": False}
        if secret is not None:
            values["secrets"] = self._cipher.encrypt([{"secret": secret, "until": None}])
        return self._change(subscription, values, wish)

    def rotate(self, subscription: Subscription, secret: str) -> Subscription:
        """Sign with this secret from now on, and for a day with the one before, too. Raises as `change` does."""
        with self._database.reading() as connection:
            moment = connection.execute(select(now())).scalar_one()
        kept: list[dict[str, Any]] = [{"secret": secret, "until": None}]
        kept += [{"secret": old, "until": moment + ROTATION} for old in subscription.secrets[:_MOST_OLD_SECRETS]]
        return self._change(subscription, {"secrets": self._cipher.encrypt(kept)})

    def delete(self, subscription_id: str, client_id: str) -> None:
        """Forget it; what is still owed to it is dropped. Raises UnknownSubscription."""
        with self._database.transaction() as connection:
            gone = connection.execute(subscriptions.delete().where(_is(subscription_id, client_id)))
            if gone.rowcount == 0:
                raise UnknownSubscription
            name = destination_of(subscription_id)
            connection.execute(
                update(deliveries)
                .where(deliveries.c.destination == name, state_is(State.QUEUED))
                .values(state=State.DROPPED, reason="the subscription was deleted", ended_at=now())
            )
            connection.execute(destinations.delete().where(destinations.c.name == name))

    def worked(self, subscription: Subscription) -> None:
        """It took an event: whatever was before, it is not failing."""
        if subscription.failing_since is not None:
            with self._database.transaction() as connection:
                connection.execute(update(subscriptions).where(_is(subscription.id)).values(failing_since=None))

    def failed(self, subscription: Subscription) -> float:
        """It did not take an event. Returns for how many seconds it has taken none."""
        failing_for = now() - subscriptions.c.failing_since
        with self._database.transaction() as connection:
            connection.execute(
                update(subscriptions)
                .where(_is(subscription.id), subscriptions.c.failing_since.is_(None))
                .values(failing_since=now())
            )
            return connection.scalar(select(failing_for).where(_is(subscription.id))) or 0.0

    def disable(self, connection: Connection, subscription: Subscription, because: str) -> bool:
        """Tell it nothing any more, in the caller's transaction. False where somebody else was quicker."""
        disabled = connection.execute(
            update(subscriptions)
            .where(_is(subscription.id), subscriptions.c.active.is_(True))
            .values(active=False, disabled_because=clean(because), rev=subscriptions.c.rev + 1, updated_at=now())
        )
        return disabled.rowcount == 1

    def _change(self, subscription: Subscription, values: dict[str, Any], wish: Wish | None = None) -> Subscription:
        with self._database.transaction() as connection:
            row = connection.execute(
                update(subscriptions)
                .where(_is(subscription.id, subscription.client_id), subscriptions.c.rev == subscription.rev)
                .values(**values, rev=subscription.rev + 1, updated_at=now())
                .returning(subscriptions, _NOW)
            ).one_or_none()
            if row is None:
                rev = connection.scalar(select(subscriptions.c.rev).where(_is(subscription.id)))
                raise UnknownSubscription if rev is None else ChangedMeanwhile(rev)
            if wish is not None:
                self._set_rate(connection, subscription.id, wish)
        return self._subscription(row)

    def _set_rate(self, connection: Connection, subscription_id: str, wish: Wish) -> None:
        name = destination_of(subscription_id)
        store.register_destinations(connection, self._database, {name})
        rate = literal(wish.rate_limit, Double)
        connection.execute(update(destinations).where(destinations.c.name == name).values(rate=rate, next_at=None))

    def _all(self, condition: ColumnElement[bool]) -> list[Subscription]:
        with self._database.reading() as connection:
            rows: Sequence[Row[Any]] = connection.execute(_SELECT.where(condition).order_by(subscriptions.c.id)).all()
        return [self._subscription(row) for row in rows]

    def _subscription(self, row: Row[Any]) -> Subscription:
        content = self._cipher.decrypt(row.content)
        attributes = content["attributes"]
        content["attributes"] = attributes if isinstance(attributes, str) else tuple(attributes)
        content["event_types"] = tuple(content["event_types"])
        kept = self._cipher.decrypt(row.secrets)
        return Subscription(
            id=row.id,
            client_id=row.client_id,
            rev=row.rev,
            active=row.active,
            wish=Wish(**content),
            secrets=tuple(one["secret"] for one in kept if one["until"] is None or one["until"] > row.read_at),
            created_at=row.created_at,
            updated_at=row.updated_at,
            failing_since=row.failing_since,
            disabled_because=row.disabled_because,
        )


# A client may be revoked in the very moment in which it subscribes.
_OF_A_CLIENT = exists().where(clients.c.id == subscriptions.c.client_id, clients.c.revoked_at.is_(None))
_IS_TOLD = and_(subscriptions.c.active.is_(True), _OF_A_CLIENT)
_NOW = now().label("read_at")
_SELECT = select(subscriptions, _NOW)
_SWITCHED_ON = {"active": True, "failing_since": None, "disabled_because": None}


def _is(subscription_id: str, client_id: str | None = None) -> ColumnElement[bool]:
    """PostgreSQL refuses even to compare with U+0000."""
    of_client = subscriptions.c.client_id == client_id if client_id is not None else true()
    return and_(subscriptions.c.id == clean(subscription_id), of_client)
