"""API clients: systems of the country that may call us with a key."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select, update

from app.database import audit
from app.database.audit import Author, What
from app.database.clock import now
from app.database.engine import Database
from app.database.identifiers import new_id
from app.database.tables import clients, subscriptions

PREFIX = "cc_"
_RANDOM_BYTES = 32
_KEY = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}", re.ASCII).fullmatch
_LONGEST_NAME = 100


class Permission(StrEnum):
    """What a client may do."""

    CONFIRMATIONS_WRITE = "confirmations:write"  # accept or reject what was deferred
    WEBHOOKS_MANAGE = "webhooks:manage"  # subscribe to events, and look after its own subscriptions
    TRIGGERS_SEND = "triggers:send"  # send the country's own triggers


class InvalidName(Exception):
    """A name that cannot be told on a command line or in a log."""

    def __init__(self) -> None:
        super().__init__(f"A name has 1 to {_LONGEST_NAME} printable characters, with no space at either end.")


class NameTaken(Exception):
    """Another client has this name, or had it until it was revoked."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is a client {name} already. Names are never used again, not even those of revoked clients, "
            "so that it stays clear who did what: choose another."
        )


class UnknownPermission(Exception):
    """A permission that this version does not have."""

    def __init__(self, permission: str) -> None:
        super().__init__(f"There is no permission {permission}. Those there are: {', '.join(Permission)}.")


class UnknownClient(Exception):
    """No client has this name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"There is no client {name}. Those there are: {', '.join(known) or 'none yet'}.")


@dataclass(frozen=True)
class Client:
    """A system that may call us. Times are UTC seconds; `revoked_at` is None while its key works."""

    id: str
    name: str
    permissions: frozenset[str]
    created_at: float
    revoked_at: float | None = None


@dataclass(frozen=True)
class NewClient:
    """A client with its key, which is known here and never again."""

    client: Client
    key: str = field(repr=False)


def create(database: Database, name: str, permissions: Collection[str], by: Author | None = None) -> NewClient:
    """Make a client and its key, `by` the operator of this process where nobody is named.

    Raises InvalidName, NameTaken, UnknownPermission and DatabaseAway.
    """
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise InvalidName
    for permission in permissions:
        if permission not in list(Permission):
            raise UnknownPermission(permission)
    key = PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    insert = database.insert(clients).values(
        id=new_id(),
        name=name,
        key_hash=_hashed(key),
        permissions=" ".join(sorted(set(permissions))),
        created_at=now(),
    )
    with database.transaction() as connection:
        row = connection.execute(
            insert.on_conflict_do_nothing(index_elements=[clients.c.name]).returning(clients)
        ).one_or_none()
        if row is not None:
            audit.record(connection, by or audit.operator(), What.CLIENT_CREATE, [name])
    if row is None:
        raise NameTaken(name)
    return NewClient(_client(row), key)


def authenticate(database: Database, key: str) -> Client | None:
    """Whose key this is; None for a wrong or a revoked one. Raises DatabaseAway.

    Looked up by its hash, so that how long it takes says nothing about the keys there are. Nothing is cached: a key
    that is revoked stops at once, and what is read is one row by an index.
    """
    if not _KEY(key):
        return None
    statement = select(clients).where(clients.c.key_hash == _hashed(key), clients.c.revoked_at.is_(None))
    with database.reading() as connection:
        row = connection.execute(statement).one_or_none()
    return _client(row) if row is not None else None


def revoke(database: Database, name: str, by: Author | None = None) -> Client:
    """End a client's key for good, `by` as in `create`; one that is revoked already keeps its time.

    Its subscriptions are told nothing any more.

    Raises UnknownClient and DatabaseAway.
    """
    working = (clients.c.name == name, clients.c.revoked_at.is_(None))
    with database.transaction() as connection:
        if connection.execute(update(clients).where(*working).values(revoked_at=now())).rowcount == 1:
            audit.record(connection, by or audit.operator(), What.CLIENT_REVOKE, [name])
            its = select(clients.c.id).where(clients.c.name == name)
            connection.execute(
                update(subscriptions)
                .where(subscriptions.c.client_id.in_(its), subscriptions.c.active.is_(True))
                .values(active=False, rev=subscriptions.c.rev + 1)
            )
        row = connection.execute(select(clients).where(clients.c.name == name)).one_or_none()
    if row is None:
        raise UnknownClient(name, [client.name for client in all(database) if client.revoked_at is None])
    return _client(row)


def all(database: Database) -> Sequence[Client]:  # noqa: A001  reads as clients.all(database)
    """The clients by their names, the revoked ones too. Raises DatabaseAway."""
    with database.reading() as connection:
        return [_client(row) for row in connection.execute(select(clients).order_by(clients.c.name))]


def _hashed(key: str) -> str:
    # A fast hash without salt will do: of 256 random bits there is nothing to guess, and no two keys are the same.
    return hashlib.sha256(key.encode()).hexdigest()


def _client(row: Row[Any]) -> Client:
    return Client(row.id, row.name, frozenset(row.permissions.split()), row.created_at, row.revoked_at)
