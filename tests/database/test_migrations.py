"""What is carried over when the tables change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command
from sqlalchemy import text

from app.database import schema
from app.database.engine import Database


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without tables."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
        yield database
        database.close()
        return
    server = request.getfixturevalue("postgresql")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty")
        database = Database(server)
        database = Database(str(database.url.set(database="empty").render_as_string(hide_password=False)))
        yield database
        database.close()
        connection.execute("DROP DATABASE empty")


def migrate(database: Database, version: str) -> None:
    config = schema._config()
    with database.unhurried_transaction() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)


OPEN = {"state": "deferred", "deadline": None, "token_expires_at": 900_000.0, "alerted_at": 1000.0}


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        ({"alerted_at": None, "deadline": 1.0, "state": "refused"}, ""),
        ({"deadline": 999.0}, "undecided"),
        ({"token_expires_at": 87_000.0}, "ending"),
        ({"deadline": 999.0, "token_expires_at": 87_000.0}, "undecided ending"),
        ({"state": "refused"}, "refused"),
        ({"state": "refused", "deadline": 999.0}, "undecided"),
        ({"deadline": 1001.0}, ""),
    ],
    ids=["not-alerted", "deadline", "token", "both", "refused", "refused-later", "put-off-since"],
)
def test_what_was_alerted_of_is_not_alerted_of_again(empty: Database, decision: dict[str, object], said: str) -> None:
    migrate(empty, "0004")
    with empty.transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO triggers (id, path, received_at, request_id, payload) VALUES ('t', 'p', 0, 'r', :payload)"
            ),
            {"payload": b""},
        )
        connection.execute(
            text(
                "INSERT INTO decisions (event_id, action_id, trigger_id, event_type, action_type, tracking_id, state, "
                "token_expires_at, runs, created_at, deadline, alerted_at) VALUES ('e', 'a', 't', 'birth', 'DECLARE', "
                "'B7K3QX', :state, :token_expires_at, 1, 0, :deadline, :alerted_at)"
            ),
            OPEN | decision,
        )
    schema.upgrade(empty)
    with empty.reading() as connection:
        row = connection.execute(text("SELECT alerted_for, mailed_for, tracking_id FROM decisions")).one()
    assert tuple(row) == (said, said, "B7K3QX")


def test_a_confirmation_that_waits_is_not_given_up_any_more(empty: Database) -> None:
    migrate(empty, "0013")
    with empty.transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO triggers (id, path, received_at, request_id, payload) VALUES ('t', 'p', 0, 'r', :payload)"
            ),
            {"payload": b""},
        )
        for channel, state in (("confirmation", "queued"), ("confirmation", "failed"), ("email", "queued")):
            connection.execute(
                text(
                    "INSERT INTO deliveries (id, trigger_id, key, channel, destination, priority, state, created_at, "
                    "due_at, give_up_at) VALUES (:id, 't', :id, :channel, 'd', 1, :state, 0, 0, 345600)"
                ),
                {"id": f"{channel} {state}", "channel": channel, "state": state},
            )
    schema.upgrade(empty)
    with empty.reading() as connection:
        rows = connection.execute(text("SELECT id, give_up_at FROM deliveries")).all()
    assert {row.id: row.give_up_at for row in rows} == {
        "confirmation queued": None,
        "confirmation failed": 345600,
        "email queued": 345600,
    }
