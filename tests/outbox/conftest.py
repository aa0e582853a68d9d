"""A small outbox: triggers that owe what a test says, a worker with senders of the test's own, and a look inside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from app.database.clock import now
from app.database.engine import Database
from app.database.identifiers import new_id
from app.database.tables import attempts, deliveries, destinations, triggers
from app.encryption import Cipher
from app.outbox import store
from app.outbox.delivery import NewDelivery, Sender
from app.outbox.states import Priority
from app.outbox.worker import Worker


class Outbox:
    """What tests do with the outbox."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self.database = database
        self.cipher = cipher

    def owe(self, *new: NewDelivery, secrets: Mapping[str, str] | None = None) -> str:
        """Keep a trigger that owes these; returns its id."""
        trigger_id = new_id()
        with self.database.transaction() as connection:
            connection.execute(
                insert(triggers).values(
                    id=trigger_id,
                    path="user/2fa",
                    received_at=now(),
                    request_id="request-1",
                    payload=self.cipher.encrypt({"recipient": {}}),
                    secrets=self.cipher.encrypt(secrets) if secrets else None,
                )
            )
            store.add(connection, self.database, self.cipher, [(trigger_id, item) for item in new])
        return trigger_id

    def worker(self, **senders: Sender) -> Worker:
        return Worker(self.database, self.cipher, senders)

    def run(self, **senders: Sender) -> None:
        """Work off all that is due."""
        self.worker(**senders).run_until_idle()

    def all(self, trigger_id: str | None = None) -> list[Any]:
        """Deliveries in the order they were made."""
        statement = select(deliveries).order_by(deliveries.c.created_at, deliveries.c.id)
        if trigger_id is not None:
            statement = statement.where(deliveries.c.trigger_id == trigger_id)
        with self.database.reading() as connection:
            return list(connection.execute(statement))

    def only(self) -> Any:
        (row,) = self.all()
        return row

    def attempts(self) -> list[Any]:
        with self.database.reading() as connection:
            return list(connection.execute(select(attempts).order_by(attempts.c.started_at, attempts.c.number)))

    def trigger(self, trigger_id: str) -> Any:
        with self.database.reading() as connection:
            return connection.execute(select(triggers).where(triggers.c.id == trigger_id)).one()

    def destination(self, name: str) -> Any:
        with self.database.reading() as connection:
            return connection.execute(select(destinations).where(destinations.c.name == name)).one()

    def set(self, **values: Any) -> None:
        """Change all deliveries; times as seconds from now."""
        times = {"due_at", "expires_at", "lease_until", "give_up_at", "ended_at"}
        with self.database.transaction() as connection:
            connection.execute(
                update(deliveries).values(
                    {name: now() + value if name in times else value for name, value in values.items()}
                )
            )

    def set_destination(self, name: str, **values: Any) -> None:
        with self.database.transaction() as connection:
            connection.execute(update(destinations).where(destinations.c.name == name).values(**values))


@pytest.fixture
def outbox(database: Database, cipher: Cipher) -> Outbox:
    return Outbox(database, cipher)


@pytest.fixture
def email() -> Callable[..., NewDelivery]:
    """Make an e-mail that is owed."""

    def make(key: str = "email", priority: Priority = Priority.TRANSACTIONAL, **values: Any) -> NewDelivery:
        defaults: dict[str, Any] = {"channel": "email", "destination": "smtp", "payload": {"to": ["a@b.test"]}}
        return NewDelivery(key=key, priority=priority, **(defaults | values))

    return make
