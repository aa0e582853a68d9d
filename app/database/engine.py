"""The database: an engine, its transactions, and what is said when it is away."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

SQLITE_BUSY_TIMEOUT = 10.0
CONNECT_TIMEOUT = 5
STATEMENT_TIMEOUT = 30


class DatabaseAway(Exception):
    """The database does not answer, is locked, or is full; what was asked was not kept."""


@contextmanager
def reporting_away() -> Iterator[None]:
    """Turn what the drivers say of an absent database into DatabaseAway."""
    try:
        yield
    except (sqlite3.OperationalError, psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
        raise DatabaseAway(str(error)) from error
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.OperationalError | psycopg.OperationalError | psycopg.InterfaceError):
            raise DatabaseAway(str(error.orig)) from error
        raise


class Database:
    """SQLite or PostgreSQL behind one URL. Connections are made at the first use and never cross a fork."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        if self.url.get_backend_name() in ("postgresql", "postgres"):
            self.url = self.url.set(drivername="postgresql+psycopg")
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgresql_engine(self.url)
        self._closers: list[Callable[[], None]] = []
        os.register_at_fork(after_in_child=self._forget_connections)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction that may write; on SQLite it holds the write lock from its start.

        Raises DatabaseAway.
        """
        with reporting_away(), self.engine.connect() as connection:
            if self.is_sqlite:
                connection.execution_options(sqlite_begin="IMMEDIATE")
            with connection.begin():
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads, and waits for no writer. Raises DatabaseAway."""
        with reporting_away(), self.engine.connect() as connection:
            yield connection

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that can say ON CONFLICT."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def on_close(self, close: Callable[[], None]) -> None:
        """Have connections that are not the engine's closed with them."""
        self._closers.append(close)

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        self.engine.dispose()
        for close in self._closers:
            close()

    def _forget_connections(self) -> None:
        self.engine.dispose(close=False)


def connect_sqlite(path: str) -> sqlite3.Connection:
    """A connection in autocommit mode that is durable at every commit (WAL, FULL) and keeps foreign keys."""
    if path != ":memory:":
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise sqlite3.OperationalError(f"unable to make the directory of the file: {error.strerror}") from error
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
    connection = sqlite3.connect(
        path,
        timeout=SQLITE_BUSY_TIMEOUT,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _sqlite_engine(url: Any) -> Engine:
    engine = create_engine(url, creator=lambda: connect_sqlite(url.database), hide_parameters=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'DEFERRED')}")

    return engine


def _postgresql_engine(url: Any) -> Engine:
    return create_engine(
        url,
        hide_parameters=True,
        pool_size=5,
        max_overflow=10,
        pool_timeout=CONNECT_TIMEOUT,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT,
            "application_name": "country-config",
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT * 1000}",
        },
    )
