"""The write that a request waits for: a few rows, all or none, durable, and as cheap as the database allows.

SQLite: the commits of concurrent requests are grouped, because the disk's flush is what a commit costs. Each request
hands in its rows and takes a lock; whoever gets the lock writes all that waits in one transaction, and those who
arrive meanwhile form the next group. When a group fails for what one of its members may have handed in, each is run
once more alone, so that an error is its owner's only; what the database itself says is said to all of them at once.

PostgreSQL: one statement on an autocommit connection of the thread, so one round trip and no transaction block.

Both run compiled SQL on the driver's own cursor: for so few rows, building a statement costs more than running it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

import psycopg
import structlog
from sqlalchemy import Insert, Select
from sqlalchemy.dialects import postgresql, sqlite

from app.database.engine import (
    Database,
    DatabaseAway,
    NoAnswer,
    connect_postgresql,
    connect_sqlite,
    reporting_away,
)

log = structlog.get_logger()

STATEMENT_TIMEOUT = 10  # seconds; shorter than elsewhere, because a request waits for it

Values = Mapping[str, Any]


class AlreadyThere(Exception):
    """A row with the same key, or the same unique value, is there already."""


class _Writer(Protocol):
    def write(self, values: Values) -> None: ...

    def close(self) -> None: ...


class Inserts:
    """Insert statements, compiled once, that are always written together.

    The statements name their parameters with `bindparam`; a name stands for the same value in all of them, and what is
    constant is a `literal_column`. Values are the driver's own types: str, int, float, bytes, None. `kept` finds a row
    where these very values were written before: without it, a write whose connection is lost is not tried again.
    """

    def __init__(self, database: Database, statements: Sequence[Insert], kept: Select[Any] | None = None) -> None:
        self._writer: _Writer
        if database.is_sqlite:
            self._writer = _GroupedOnSqlite(str(database.url.database), statements)
        else:
            _, arguments = database.engine.dialect.create_connect_args(database.url)
            self._writer = _OneStatementOnPostgresql(arguments, statements, kept)
        database.on_close(self._writer.close)

    def write(self, values: Values) -> None:
        """Return when the rows are committed.

        Raises AlreadyThere, and then nothing was kept, and DatabaseAway, and then nothing was kept unless the server
        took the rows and could not say so.
        """
        try:
            with reporting_away():
                self._writer.write(values)
        except (sqlite3.IntegrityError, psycopg.errors.UniqueViolation) as error:
            raise AlreadyThere from error


class _Waiting:
    """One request's rows, and what became of them."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.done = False
        self.error: Exception | None = None


class _GroupedOnSqlite:
    def __init__(self, path: str, statements: Sequence[Insert]) -> None:
        dialect = sqlite.dialect(paramstyle="named")
        self._path = path
        self._statements = [str(statement.compile(dialect=dialect)) for statement in statements]
        self._waiting: deque[_Waiting] = deque()
        self._leading = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        os.register_at_fork(after_in_child=self._start_anew)

    def _start_anew(self) -> None:
        # The parent's connection must be neither used nor closed here: either would release the parent's locks.
        self._inherited = self._connection
        self._connection = None
        self._waiting = deque()
        self._leading = threading.Lock()

    def close(self) -> None:
        with self._leading:
            self._disconnect()

    def write(self, values: Values) -> None:
        mine = _Waiting(values)
        self._waiting.append(mine)
        with self._leading:
            if not mine.done:
                self._write_all_that_waits()
        if mine.error is not None:
            raise mine.error
        if not mine.done:
            raise DatabaseAway("the write was given up before its commit")

    def _write_all_that_waits(self) -> None:
        group = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if self._committed(group):
            return
        for member in group:
            self._committed([member])

    def _committed(self, group: Sequence[_Waiting]) -> bool:
        """Write the group in one transaction. False where it must be tried member by member."""
        try:
            if self._connection is None:
                self._connection = connect_sqlite(self._path)
            cursor = self._connection.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            for member in group:
                for statement in self._statements:
                    cursor.execute(statement, member.values)
            cursor.execute("COMMIT")
        except sqlite3.OperationalError as error:  # busy, full, gone: true of all; one by one they would wait in turn
            self._disconnect()
            for member in group:
                member.error = error
        except Exception as error:  # noqa: BLE001  whatever it is, it is handed to its owner
            self._disconnect()
            if len(group) > 1:
                return False
            group[0].error = error
        for member in group:
            member.done = True
        return True

    def _disconnect(self) -> None:
        """Roll back what is open and start anew: after an error, a new connection is the one state that is known."""
        if self._connection is None:
            return
        # Closing alone would keep the lock for as long as anybody holds a cursor.
        with suppress(sqlite3.Error):
            self._connection.rollback()
        self._connection.close()
        self._connection = None


class _OneStatementOnPostgresql:
    def __init__(self, arguments: Mapping[str, Any], statements: Sequence[Insert], kept: Select[Any] | None) -> None:
        dialect = postgresql.psycopg.PGDialect_psycopg()  # type: ignore[no-untyped-call]
        parts = [f"w{number} AS ({statement.compile(dialect=dialect)})" for number, statement in enumerate(statements)]
        self._statement = f"WITH {', '.join(parts)} SELECT 1"
        self._kept = None if kept is None else str(kept.compile(dialect=dialect))
        self._arguments = arguments
        self._of_thread = threading.local()
        self._all: set[psycopg.Connection[Any]] = set()
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._start_anew)

    def _start_anew(self) -> None:
        self._inherited = self._all
        self._all = set()
        self._lock = threading.Lock()
        self._of_thread = threading.local()

    def close(self) -> None:
        for connection in list(self._all):
            connection.close()
        self._all.clear()

    def write(self, values: Values) -> None:
        kept: psycopg.Connection[Any] | None = getattr(self._of_thread, "connection", None)
        if kept is None or kept.closed:
            self._connect().execute(self._statement, values)
            return
        try:
            kept.execute(self._statement, values)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if self._kept is None or isinstance(error, NoAnswer) or not _is_closed(kept):
                raise
            self._write_again(self._kept, values)

    def _write_again(self, kept: str, values: Values) -> None:
        """The server was restarted since this thread's last write, so try once on a new connection.

        The lost answer may have been a success, whose rows this insert would meet; or it meets somebody else's.
        """
        connection = self._connect()
        try:
            connection.execute(self._statement, values)
        except psycopg.errors.UniqueViolation:
            if connection.execute(kept, values).fetchone() is None:
                raise
            log.info("insert.was_kept", reason="the connection was lost after the commit")

    def _connect(self) -> psycopg.Connection[Any]:
        connection = connect_postgresql(
            self._arguments,
            autocommit=True,
            statement_timeout=STATEMENT_TIMEOUT,
            options="-c synchronous_commit=on",
        )
        with self._lock:
            self._all = {other for other in self._all if not other.closed} | {connection}
        self._of_thread.connection = connection
        return connection


def _is_closed(connection: psycopg.Connection[Any]) -> bool:
    return connection.closed
