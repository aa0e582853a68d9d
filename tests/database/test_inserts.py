"""The write that a request waits for."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import bindparam, func, insert, literal_column, make_url, select, text

from app.database.clock import now
from app.database.engine import Database, DatabaseAway
from app.database.identifiers import new_id
from app.database.inserts import AlreadyThere, Inserts, _GroupedOnSqlite
from app.database.tables import triggers
from tests.cli.processes import children, wait_for
from tests.conftest import _running as running_postgresql


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
        select(triggers.c.id).where(triggers.c.id == bindparam("id")),
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
        except Exception as error:  # noqa: BLE001
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


def test_somebody_elses_row_is_not_taken_for_a_write_that_was_kept(
    postgresql: str, request: pytest.FixtureRequest
) -> None:
    """The connection is lost, and the row with this id was written by another, with another payload."""
    database = Database(postgresql)
    request.addfinalizer(database.close)
    inserts = Inserts(
        database,
        [
            insert(triggers).values(
                id=bindparam("id"),
                path=literal_column("'x'"),
                received_at=now(),
                request_id=literal_column("'r'"),
                payload=literal_column("''"),
            )
        ],
        select(triggers.c.id).where(triggers.c.id == bindparam("mine")),
    )
    taken = new_id()
    inserts.write({"id": taken, "mine": taken})
    with database.transaction() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"))
    with pytest.raises(AlreadyThere):
        inserts.write({"id": taken, "mine": new_id()})


def test_a_process_forked_after_the_first_write_writes_on_connections_of_its_own(database: Database) -> None:
    inserts = inserting(database)
    inserts.write(values(new_id()))
    children = [
        multiprocessing.get_context("fork").Process(target=inserts.write, args=(values(new_id()),)) for _ in range(2)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    inserts.write(values(new_id()))
    assert [child.exitcode for child in children] == [0, 0]
    assert count(database) == 4


def test_what_the_database_says_is_said_to_a_whole_group_at_once(
    sqlite_url: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One by one, each of a group would wait for the lock in its turn."""
    database = Database(sqlite_url)
    request.addfinalizer(database.close)
    writer = inserting(database)._writer
    assert isinstance(writer, _GroupedOnSqlite)
    tries: list[str] = []

    def locked(path: str) -> sqlite3.Connection:
        tries.append(path)
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr("app.database.inserts.connect_sqlite", locked)
    with ThreadPoolExecutor(4) as pool:
        with writer._leading:
            writes = [pool.submit(writer.write, values(new_id())) for _ in range(4)]
            wait_for(lambda: len(writer._waiting) == 4)
        errors = [write.exception(60) for write in writes]
    assert [type(error) for error in errors] == [sqlite3.OperationalError] * 4
    assert len(tries) == 1


@pytest.mark.parametrize("order", [("{here}", "/nowhere"), ("/nowhere", "{here}")])
def test_of_several_hosts_the_one_that_answers_is_written_to(
    postgresql: str, order: tuple[str, str], request: pytest.FixtureRequest
) -> None:
    here = make_url(postgresql).query["host"]
    hosts = [host.format(here=here) for host in order]
    database = Database(make_url(postgresql).set(query={"host": hosts}).render_as_string(hide_password=False))
    request.addfinalizer(database.close)
    trigger_id = new_id()
    inserting(database).write(values(trigger_id))
    with database.reading() as connection:
        assert connection.scalar(select(triggers.c.id).where(triggers.c.id == trigger_id)) == trigger_id


@pytest.fixture
def own_postgresql() -> Iterator[str]:
    """A server of this test's alone, because it is frozen."""
    with tempfile.TemporaryDirectory(prefix="postgresql-", ignore_cleanup_errors=True) as directory:
        yield from running_postgresql(directory)


@contextmanager
def frozen(server: str) -> Iterator[None]:
    """All processes of a PostgreSQL stand still: the kernel takes what is sent, and nobody answers."""
    database = Database(server)
    with database.reading() as connection:
        directory = Path(connection.scalar(text("SHOW data_directory")) or "")
    database.close()
    postmaster = int((directory / "postmaster.pid").read_text().split()[0])
    processes = [postmaster, *children(postmaster)]
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGCONT)


def test_a_server_that_hangs_is_away_before_long(own_postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for timeout in ("engine.GRACE", "engine.CONNECT_TIMEOUT"):
        monkeypatch.setattr(f"app.database.{timeout}", 1)
    for unlimited in ("engine.STATEMENT_TIMEOUT", "inserts.STATEMENT_TIMEOUT"):
        monkeypatch.setattr(f"app.database.{unlimited}", 0)
    database = Database(own_postgresql)
    inserts = inserting(database)
    inserts.write(values(new_id()))
    assert count(database) == 1
    with frozen(own_postgresql):
        before = time.monotonic()
        with pytest.raises(DatabaseAway, match="no answer"):
            inserts.write(values(new_id()))
        with pytest.raises(DatabaseAway, match="no answer"):
            count(database)
        with pytest.raises(DatabaseAway):  # on a new connection
            inserts.write(values(new_id()))
        assert time.monotonic() - before < 60
    inserts.write(values(new_id()))
    assert count(database) >= 2
    database.close()
