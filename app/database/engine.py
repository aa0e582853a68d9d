"""The database: an engine, its transactions, and what is said when it is away."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

SQLITE_BUSY_TIMEOUT = 10.0
CONNECT_TIMEOUT = 5
STATEMENT_TIMEOUT = 30
IDLE_TIMEOUT = 60  # within a transaction, whose locks others wait for
GRACE = 2  # past a statement's timeout, which a server that is well keeps by itself

# A peer that is gone without a word is noticed while we send (milliseconds) as while we wait (seconds).
_NOTICE_A_DEAD_PEER = {
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}

Answer = TypeVar("Answer")


class DatabaseAway(Exception):
    """The database does not answer, is locked, or is full: nothing says that what was asked is kept."""


class AbortCode(StrEnum):
    """Why PostgreSQL ended a transaction although it is there."""

    DEADLOCK = "deadlock"
    SERIALIZATION = "serialization_failure"
    STATEMENT_TIMEOUT = "statement_timeout"


class TransactionAbortedError(DatabaseAway):
    """The database answers, and ended this transaction: nothing of it is kept, and the same may succeed when it is
    tried again. It is handled as an absent database where nothing better is known.
    """

    def __init__(self, code: AbortCode, message: str) -> None:
        self.code = code
        super().__init__(message)


_ABORTS: Mapping[type[psycopg.Error], AbortCode] = {
    psycopg.errors.DeadlockDetected: AbortCode.DEADLOCK,  # 40P01
    psycopg.errors.SerializationFailure: AbortCode.SERIALIZATION,  # 40001
    psycopg.errors.QueryCanceled: AbortCode.STATEMENT_TIMEOUT,  # 57014
}

_AWAY = (
    sqlite3.OperationalError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,  # a standby, until the next connection finds who took over
    psycopg.errors.IdleInTransactionSessionTimeout,
)


@contextmanager
def reporting_away() -> Iterator[None]:
    """Turn the drivers' errors of an absent database into DatabaseAway, of aborts into TransactionAbortedError."""
    try:
        yield
    except (*_AWAY, PoolTimeout) as error:
        raise _typed(error) from error
    except DBAPIError as error:
        if isinstance(error.orig, _AWAY):
            raise _typed(error.orig) from error
        raise


def _typed(error: BaseException) -> DatabaseAway:
    for kind, code in _ABORTS.items():
        if isinstance(error, kind):
            return TransactionAbortedError(code, first_line(error))
    return DatabaseAway(first_line(error))


def first_line(error: BaseException) -> str:
    """What a driver says, without the details and the context that PostgreSQL adds: they hold values of a row."""
    return str(error).partition("\n")[0]


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

    @contextmanager
    def unhurried_transaction(self) -> Iterator[Connection]:
        """A transaction that may write, and may take as long as it needs: a migration. Raises DatabaseAway."""
        with self.transaction() as connection:
            if not self.is_sqlite:
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                connection.connection.driver_connection.answer_timeout = None  # type: ignore[union-attr]
                connection.detach()  # closed afterwards, so that nobody else waits on it without limit
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


class NoAnswer(psycopg.OperationalError):
    """The server holds the connection and says nothing. Whether it did what was asked cannot be known."""


class _ImpatientConnection(psycopg.Connection[Any]):
    """Waits for an answer only so long, then closes: a server that is frozen keeps neither its timeouts nor ours."""

    answer_timeout: float | None = None

    def wait(self, gen: PQGen[Answer], interval: float = 0.1, timeout: float | None = None) -> Answer:
        """What psycopg runs everything through. Raises NoAnswer."""
        try:
            return super().wait(gen, interval, self.answer_timeout if timeout is None else timeout)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001  it has no public name
            if timeout is not None:
                raise
            self.close()
            raise NoAnswer(f"no answer within {self.answer_timeout} s") from None


def connect_postgresql(
    arguments: Mapping[str, Any], *, statement_timeout: float, options: str = "", autocommit: bool = False
) -> psycopg.Connection[Any]:
    """A connection on which nothing waits for ever; `arguments` are those of `create_connect_args`.

    Raises psycopg.OperationalError.
    """
    connection = _ImpatientConnection.connect(
        **_NOTICE_A_DEAD_PEER
        | dict(arguments)
        | {
            "autocommit": autocommit,
            "connect_timeout": CONNECT_TIMEOUT,
            "application_name": "country-config",
            "options": f"-c statement_timeout={statement_timeout * 1000:.0f} "
            f"-c idle_in_transaction_session_timeout={IDLE_TIMEOUT * 1000} {options}",
        }
    )
    connection.answer_timeout = statement_timeout + GRACE
    return connection


def _sqlite_engine(url: Any) -> Engine:
    engine = create_engine(url, creator=lambda: connect_sqlite(url.database), hide_parameters=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'DEFERRED')}")

    return engine


def _postgresql_engine(url: Any) -> Engine:
    engine = create_engine(url, hide_parameters=True, pool_size=5, max_overflow=10, pool_timeout=CONNECT_TIMEOUT)

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, _arguments: Any, named: dict[str, Any]) -> psycopg.Connection[Any]:
        return connect_postgresql(named, statement_timeout=STATEMENT_TIMEOUT)

    return engine
