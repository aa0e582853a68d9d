"""The tables and views for statistics: made where they are missing, taken as they are where somebody made them.

Nothing is ever dropped. Where we may only read and write rows, what is missing is done without, and so is what is
there and not ours to use.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.analytics.definitions import SCHEMA, TABLES, addition, comment_on, creation, script
from app.analytics.rights import columns_of, may_read, may_use_schema
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
    """What is there: the columns of event_actions, whether versions are kept beside them, and what is lacking."""

    columns: tuple[str, ...]
    has_versions: bool
    lacking: tuple[str, ...]


def qualified(database: Database, name: str) -> str:
    """A table's or view's name in SQL."""
    return name if database.is_sqlite else f"{SCHEMA}.{name}"


def prepare(database: Database) -> Layout:
    """Make what is missing and may be made. Raises Unusable and DatabaseAway."""
    with database.unhurried_transaction() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            _make_schema(connection)
        lacking = _lacking_of_event_actions(connection, database)
        lacking += [
            name
            for name in TABLES
            if name != "event_actions" and not all(_columns_found_or_made(connection, database, name).values())
        ]
        lacking += [view.name for view in views(database.is_sqlite) if not _view_is_made(connection, database, view)]
    if lacking:
        log.warning(
            "analytics.lacking",
            lacking=lacking,
            advice="they are done without; country-config analytics sql prints what an owner of the database can run",
        )
    columns = tuple(column for column in COLUMNS if f"event_actions.{column}" not in lacking)
    return Layout(columns, "event_versions" not in lacking, tuple(lacking))


def _unusable(connection: Connection, what: str, right: str) -> Unusable:
    user = connection.scalar(text("SELECT current_user"))
    return Unusable(
        f"ANALYTICS_DATABASE_URL: {what}. Let an owner of the database run what country-config analytics sql --for "
        f"{user} prints, or: {right} TO this user"
    )


_TO_MAKE = "CREATE SCHEMA IF NOT EXISTS analytics; GRANT USAGE, CREATE ON SCHEMA analytics"
_TO_WRITE = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA analytics"


def _make_schema(connection: Connection) -> None:
    may_use = may_use_schema(connection)
    if may_use is None and not _succeeds(connection, f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"):
        raise _unusable(connection, "there is no schema analytics, and it cannot be made", _TO_MAKE)
    if may_use is False:
        raise _unusable(connection, "the schema analytics may not be used", "GRANT USAGE ON SCHEMA analytics")


def _columns_found_or_made(connection: Connection, database: Database, name: str) -> dict[str, bool]:
    """Ours of this table, and whether they may be used. The table need not have all."""
    found = columns_of(connection, name)
    if not found and not _succeeds(connection, *creation(name, qualified(database, name))):
        return {name: False}
    found = found or columns_of(connection, name)
    return {column: found[column] for column in TABLES[name] if column in found}


def _lacking_of_event_actions(connection: Connection, database: Database) -> list[str]:
    """Its columns that are not there and could not be added, or that may not be used."""
    found = _columns_found_or_made(connection, database, "event_actions")
    if "event_actions" in found:
        raise _unusable(connection, "the table event_actions cannot be made", _TO_MAKE)
    needed = {"id", "event_id", "declaration", "created_at"}
    if needed - set(found):
        missing = ", ".join(sorted(needed - set(found)))
        raise Unusable(f"ANALYTICS_DATABASE_URL: event_actions is another table: it has no {missing}")
    if not all(found[column] for column in needed):
        raise _unusable(connection, "the table event_actions may not be read and written", _TO_WRITE)
    table = qualified(database, "event_actions")
    for column in COLUMNS:
        if column not in found:
            found[column] = _succeeds(connection, addition("event_actions", table, column))
    return [f"event_actions.{column}" for column in COLUMNS if not found[column]]


def _view_is_made(connection: Connection, database: Database, view: View) -> bool:
    """A view of this name that somebody else made is left as it is."""
    if database.is_sqlite:
        there = connection.scalar(text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": view.name})
        if there == view.statement:
            return True
        if there is not None:
            connection.execute(text(f"DROP VIEW {view.name}"))
        connection.exec_driver_sql(view.statement)
        return True
    may = may_read(connection, view.name)
    if may is not None:
        named = {"view": qualified(database, view.name)}
        comment = connection.scalar(text("SELECT obj_description(to_regclass(:view), 'pg_class')"), named)
        if comment == view.comment or not (comment or "").startswith(view.signature):
            return may
    return _succeeds(connection, view.statement, comment_on(view))


def _succeeds(connection: Connection, *statements: str) -> bool:
    try:
        with connection.begin_nested():
            for statement in statements:
                connection.exec_driver_sql(statement)
    except DBAPIError as error:
        log.info("analytics.not_made", statement=statements[0].split("(")[0].strip(), reason=str(error.orig))
        return False
    return True
