"""The write that a request waits for."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import bindparam, func, insert, select, text

from app.database.clock import now
from app.database.engine import Database, DatabaseAway
from app.database.identifiers import new_id
from app.database.inserts import Inserts
from app.database.tables import triggers


def inserting(database: Database) -> Inserts:
    return Inserts(
        database,
        [
            insert(triggers).values(
                id=bindparam("id"),
                path=bindparam("path"),
                received_at=now(),
                request_id=bindparam("request"),
                payload=bindparam("payload"),
            )
        ],
    )


def values(trigger_id: str) -> dict[str, object]:
    return {"id": trigger_id, "path": "user/2fa", "request": "r", "payload": b"x"}


def count(database: Database) -> int:
    with database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(triggers)) or 0


def test_what_was_written_is_seen_by_other_connections_at_once(database: Database) -> None:
    inserts = inserting(database)
    inserts.write(values(new_id()))
    assert count(database) == 1


def test_writes_of_many_threads_are_all_kept(database: Database) -> None:
    inserts = inserting(database)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: inserts.write(values(new_id())), range(200)))
    assert count(database) == 200


def test_an_error_in_a_group_is_its_owners_only(database: Database) -> None:
    inserts = inserting(database)
    taken = new_id()
    inserts.write(values(taken))
    start = threading.Barrier(8)

    def write(number: int) -> str:
        start.wait()
        try:
            inserts.write(values(taken if number % 2 else new_id()))
        except Exception as error:
            return type(error).__name__
        return "kept"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(write, range(8)))
    assert [outcome == "kept" for outcome in outcomes] == [True, False] * 4
    assert count(database) == 5


def test_a_value_that_the_driver_refuses_is_an_error_and_stops_nobody_else(database: Database) -> None:
    inserts = inserting(database)
    with pytest.raises(Exception, match=r".+"):
        inserts.write(values(new_id()) | {"payload": object()})
    inserts.write(values(new_id()))
    assert count(database) == 1


def test_a_database_that_is_not_there_is_reported_as_away(tmp_path: Path) -> None:
    (tmp_path / "directory.db").mkdir()
    for url in (f"sqlite:///{tmp_path / 'directory.db'}", "postgresql://nobody@127.0.0.1:1/nothing"):
        database = Database(url)
        with pytest.raises(DatabaseAway):
            inserting(database).write(values(new_id()))
        database.close()


def test_a_write_survives_the_loss_of_its_threads_connection(postgresql: str, request: pytest.FixtureRequest) -> None:
    database = Database(postgresql)
    request.addfinalizer(database.close)
    inserts = inserting(database)
    inserts.write(values(new_id()))
    with database.transaction() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND application_name = 'country-config'"
            )
        )
    trigger_id = new_id()
    inserts.write(values(trigger_id))
    with database.reading() as connection:
        assert connection.scalar(select(triggers.c.id).where(triggers.c.id == trigger_id)) == trigger_id


def test_a_process_forked_after_the_first_write_writes_on_connections_of_its_own(database: Database) -> None:
    inserts = inserting(database)
    inserts.write(values(new_id()))
    children = [
        multiprocessing.get_context("fork").Process(target=inserts.write, args=(values(new_id()),)) for _ in range(2)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join(20)
    inserts.write(values(new_id()))
    assert [child.exitcode for child in children] == [0, 0]
    assert count(database) == 4
