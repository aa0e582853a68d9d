"""The tables and views for statistics: made where they are missing, taken as they are where somebody made them.

Nothing is ever dropped. Where we may only read and write rows, what is missing is done without.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.analytics.rows import COLUMNS
from app.analytics.views import View, views
from app.database.engine import Database

log = structlog.get_logger()

SCHEMA = "analytics"
LOCK = 7_301_946_108_220_417  # of all who write here, on PostgreSQL: one at a time

_TYPES = {"annotation": "jsonb", "declaration": "jsonb", "content": "jsonb"}
_TYPES |= dict.fromkeys(["created_at", "declared_at", "registered_at"], "timestamptz")
_TYPES |= {"event_id": "uuid NOT NULL", "id": "uuid PRIMARY KEY", "original_action_id": "uuid"}
_TYPES |= {"registration_number": "text UNIQUE"}

_TABLES = {
    "event_actions": {column: _TYPES.get(column, "text") for column in COLUMNS},
    "event_versions": {"event_id": "uuid PRIMARY KEY", "updated_at": "text NOT NULL", "actions": "integer NOT NULL"},
    "administrative_areas": {"id": "text PRIMARY KEY", "name": "text NOT NULL", "parent_id": "text"},
    "locations": {
        "id": "text PRIMARY KEY",
        "name": "text NOT NULL",
        "administrative_area_id": "text",
        "location_type": "text NOT NULL",
    },
    "location_levels": {"id": "text PRIMARY KEY", "level": "integer NOT NULL", "name": "text NOT NULL"},
    "location_statistics": {
        "name": "text",
        "reference_id": "text",
        "year": "integer",
        "crude_birth_rate": "double precision",
        "male_population": "integer",
        "female_population": "integer",
        "total_population": "integer",
    },
}
_INDEXES = {"event_actions": "CREATE INDEX IF NOT EXISTS event_actions_event_id ON {table} (event_id)"}


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
        lacking = [name for name in _TABLES if not _is_there_or_made(connection, database, name)]
        if "event_actions" in lacking:
            raise Unusable(_GRANT.format(what="the table event_actions cannot be made"))
        lacking += _missing_columns(connection, database)
        lacking += [view.name for view in views(database.is_sqlite) if not _view_is_made(connection, database, view)]
    if lacking:
        log.warning(
            "analytics.lacking",
            lacking=lacking,
            advice="they are done without; country-config analytics sql prints what an owner of the database can run",
        )
    columns = tuple(column for column in COLUMNS if f"event_actions.{column}" not in lacking)
    return Layout(columns, "event_versions" not in lacking, tuple(lacking))


_GRANT = (
    "ANALYTICS_DATABASE_URL: {what}. Let an owner of the database run what country-config analytics sql prints, or: "
    "CREATE SCHEMA IF NOT EXISTS analytics; GRANT USAGE, CREATE ON SCHEMA analytics TO this user"
)


def script() -> str:
    """The SQL of all of it on PostgreSQL, for an owner of the database; it can be run again."""
    statements = [f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"]
    for name in _TABLES:
        statements += _creation(name, f"{SCHEMA}.{name}")
    for view in views(is_sqlite=False):
        statements += [view.statement, _comment_on(view)]
    return "".join(f"{statement};\n" for statement in statements)


def _creation(name: str, table: str) -> list[str]:
    columns = ", ".join(f"{column} {kind}" for column, kind in _TABLES[name].items())
    index = [_INDEXES[name].format(table=table)] if name in _INDEXES else []
    return [f"CREATE TABLE IF NOT EXISTS {table} ({columns})", *index]


def _comment_on(view: View) -> str:
    return f"COMMENT ON VIEW {SCHEMA}.{view.name} IS '{view.comment}'"


def _make_schema(connection: Connection) -> None:
    if connection.scalar(text("SELECT to_regnamespace(:name) IS NOT NULL"), {"name": SCHEMA}):
        return
    if not _succeeds(connection, f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"):
        raise Unusable(_GRANT.format(what="there is no schema analytics, and it cannot be made"))


def _is_there_or_made(connection: Connection, database: Database, name: str) -> bool:
    if _columns(connection, database, name):
        return True
    return _succeeds(connection, *_creation(name, qualified(database, name)))


def _missing_columns(connection: Connection, database: Database) -> list[str]:
    """Those of event_actions that are not there and could not be added."""
    there = _columns(connection, database, "event_actions")
    missing = [column for column in COLUMNS if column not in there]
    needed = {"id", "event_id", "declaration", "created_at"} & set(missing)
    if needed:
        raise Unusable(f"ANALYTICS_DATABASE_URL: event_actions is another table: it has no {', '.join(sorted(needed))}")
    table = qualified(database, "event_actions")
    return [
        f"event_actions.{column}"
        for column in missing
        if not _succeeds(connection, f"ALTER TABLE {table} ADD COLUMN {column} {_added_type(column)}")
    ]


def _added_type(column: str) -> str:
    return _TYPES.get(column, "text").removesuffix(" UNIQUE")


def _columns(connection: Connection, database: Database, table: str) -> set[str]:
    if database.is_sqlite:
        return set(connection.scalars(text("SELECT name FROM pragma_table_info(:table)"), {"table": table}))
    named = text(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(:table) AND attnum > 0 AND NOT attisdropped"
    )
    return set(connection.scalars(named, {"table": qualified(database, table)}))


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
    named = {"view": qualified(database, view.name)}
    if connection.scalar(text("SELECT to_regclass(:view) IS NOT NULL"), named):
        comment = connection.scalar(text("SELECT obj_description(to_regclass(:view), 'pg_class')"), named)
        if comment == view.comment or not (comment or "").startswith(view.signature):
            return True
    return _succeeds(connection, view.statement, _comment_on(view))


def _succeeds(connection: Connection, *statements: str) -> bool:
    try:
        with connection.begin_nested():
            for statement in statements:
                connection.exec_driver_sql(statement)
    except DBAPIError as error:
        log.info("analytics.not_made", statement=statements[0].split("(")[0].strip(), reason=str(error.orig))
        return False
    return True
