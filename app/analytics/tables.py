"""The tables and views for statistics: made where they are missing, taken as they are where somebody made them.

Nothing is ever dropped. Where we may only read and write rows, what is missing is done without, and so is what is
there and not ours to use.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, text

from app.analytics.attempts import Attempts
from app.analytics.definitions import SCHEMA, TABLES, addition, comment_on, creation, script
from app.analytics.rights import columns_of, is_indexed, may_read, may_use_schema
from app.analytics.rows import COLUMNS
from app.analytics.views import View, views
from app.database.engine import Database

__all__ = ["LOCK", "SCHEMA", "Layout", "Unusable", "prepare", "qualified", "script"]

log = structlog.get_logger()

LOCK = 7_301_946_108_220_417  # of all who write here, on PostgreSQL: one at a time


class Unusable(Exception):
    """The tables for statistics cannot be written to. The message says what to do."""


@dataclass(frozen=True)
class Layout:
    """What is there: the columns of event_actions, whether versions are kept beside them, with the time when each was
    written, and what is lacking."""

    columns: tuple[str, ...]
    has_versions: bool
    has_times: bool
    lacking: tuple[str, ...]


def qualified(database: Database, name: str) -> str:
    """A table's or view's name in SQL."""
    return name if database.is_sqlite else f"{SCHEMA}.{name}"


def prepare(database: Database) -> Layout:
    """Make what is missing and may be made. Raises Unusable and DatabaseAway."""
    with database.unhurried_transaction() as connection:
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        attempts = Attempts(connection)
        if not database.is_sqlite:
            _make_schema(attempts)
        columns = _columns_of_event_actions(attempts, database)
        for name in TABLES:
            if name != "event_actions":
                _make_table(attempts, database, name)
        for view in views(database.is_sqlite):
            _make_view(attempts, database, view)
    if attempts.lacking:
        log.warning(
            "analytics.lacking",
            lacking=attempts.lacking,
            advice="they are done without; country-config analytics sql prints what an owner of the database can run",
        )
    has_versions = "event_versions" not in attempts.lacking
    has_times = has_versions and "event_versions.expected_since" not in attempts.lacking
    return Layout(columns, has_versions, has_times, tuple(attempts.lacking))


def _unusable(connection: Connection, what: str, right: str) -> Unusable:
    user = connection.scalar(text("SELECT current_user"))
    return Unusable(
        f"ANALYTICS_DATABASE_URL: {what}. Let an owner of the database run what country-config analytics sql --for "
        f"{user} prints, or: {right} TO this user"
    )


_TO_MAKE = "CREATE SCHEMA IF NOT EXISTS analytics; GRANT USAGE, CREATE ON SCHEMA analytics"
_TO_WRITE = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA analytics"
_NO_RIGHT = "no right to use it"


def _make_schema(attempts: Attempts) -> None:
    may_use = may_use_schema(attempts.connection)
    if may_use is None and not attempts.make("the schema", f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"):
        raise _unusable(attempts.connection, "there is no schema analytics, and it cannot be made", _TO_MAKE)
    if may_use is False:
        raise _unusable(attempts.connection, "the schema analytics may not be used", "GRANT USAGE ON SCHEMA analytics")


def _columns_of_event_actions(attempts: Attempts, database: Database) -> tuple[str, ...]:
    """Those that may be used."""
    found = _found_or_made(attempts, database, "event_actions")
    if not found:
        raise _unusable(attempts.connection, "the table event_actions cannot be made", _TO_MAKE)
    needed = {"id", "event_id", "declaration", "created_at"}
    if needed - set(found):
        missing = ", ".join(sorted(needed - set(found)))
        raise Unusable(f"ANALYTICS_DATABASE_URL: event_actions is another table: it has no {missing}")
    if not all(found[column] for column in needed):
        raise _unusable(attempts.connection, "the table event_actions may not be read and written", _TO_WRITE)
    if not is_indexed(attempts.connection, "event_actions", "event_id"):
        attempts.lack("an index on event_actions.event_id", "every write reads the whole table")
    return tuple(column for column in COLUMNS if _has_column(attempts, database, f"event_actions.{column}", found))


def _make_table(attempts: Attempts, database: Database, name: str) -> None:
    found = _found_or_made(attempts, database, name)
    optional = {"expected_since"} if name == "event_versions" else set()
    if any(not is_usable for column, is_usable in found.items() if column in TABLES[name].keys() - optional):
        attempts.lack(name, _NO_RIGHT)
    elif found:
        for column in optional:
            _has_column(attempts, database, f"{name}.{column}", found)


def _found_or_made(attempts: Attempts, database: Database, name: str) -> dict[str, bool]:
    """The columns, and whether they may be used."""
    found = columns_of(attempts.connection, name)
    if not found and attempts.make(name, *creation(name, qualified(database, name))):
        return dict.fromkeys(TABLES[name], True)
    return found


def _has_column(attempts: Attempts, database: Database, full_name: str, found: dict[str, bool]) -> bool:
    name, _, column = full_name.partition(".")
    if column not in found:
        return attempts.make(full_name, addition(name, qualified(database, name), column))
    if not found[column]:
        attempts.lack(full_name, _NO_RIGHT)
    return found[column]


def _make_view(attempts: Attempts, database: Database, view: View) -> None:
    """A view of this name that somebody else made is left as it is."""
    connection = attempts.connection
    if database.is_sqlite:
        _make_view_on_sqlite(connection, view)
        return
    may = may_read(connection, view.name)
    if may is not None:
        named = {"view": qualified(database, view.name)}
        comment = connection.scalar(text("SELECT obj_description(to_regclass(:view), 'pg_class')"), named)
        if comment == view.comment or not (comment or "").startswith(view.signature):
            if not may:
                attempts.lack(view.name, _NO_RIGHT)
            return
    attempts.make(view.name, view.statement, comment_on(view), can_wait=True)


def _make_view_on_sqlite(connection: Connection, view: View) -> None:
    """There is no COMMENT ON: what we know ours by stands in the statement."""
    statement = view.statement.replace(" AS\n", f" AS /* {view.comment} */\n", 1)
    there = connection.scalar(text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": view.name})
    if there is not None:
        if there == statement or not there.startswith(f"CREATE VIEW {view.name} AS /* {view.signature}"):
            return
        connection.exec_driver_sql(f"DROP VIEW {view.name}")
    connection.exec_driver_sql(statement)
