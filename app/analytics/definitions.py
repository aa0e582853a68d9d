"""What the tables for statistics are made of, as SQL."""

from __future__ import annotations

from app.analytics.rows import COLUMNS
from app.analytics.views import View, views

SCHEMA = "analytics"

_TYPES = {"annotation": "jsonb", "declaration": "jsonb", "content": "jsonb"}
_TYPES |= dict.fromkeys(["created_at", "declared_at", "registered_at"], "timestamptz")
_TYPES |= {"event_id": "uuid NOT NULL", "id": "uuid PRIMARY KEY", "original_action_id": "uuid"}
_TYPES |= {"registration_number": "text UNIQUE"}

TABLES = {
    "event_actions": {column: _TYPES.get(column, "text") for column in COLUMNS},
    "event_versions": {
        "event_id": "uuid PRIMARY KEY",
        "updated_at": "text NOT NULL",
        "actions": "integer NOT NULL",
        "expected_since": "double precision",  # UTC seconds since 1970, of rows that core has not confirmed
    },
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


def creation(name: str, table: str) -> list[str]:
    """The statements that make `name` under the name `table`, where it is not there."""
    columns = ", ".join(f"{column} {kind}" for column, kind in TABLES[name].items())
    index = [_INDEXES[name].format(table=table)] if name in _INDEXES else []
    return [f"CREATE TABLE IF NOT EXISTS {table} ({columns})", *index]


def addition(name: str, table: str, column: str) -> str:
    """The statement that adds a column to a table that somebody else may have made."""
    return f"ALTER TABLE {table} ADD COLUMN {column} {TABLES[name][column].removesuffix(' UNIQUE')}"


def _addition_if_missing(name: str, table: str, column: str) -> str:
    """On PostgreSQL."""
    kind = TABLES[name][column].removesuffix(" PRIMARY KEY").removesuffix(" UNIQUE").removesuffix(" NOT NULL")
    return f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} {kind}"


def comment_on(view: View) -> str:
    """By it we know the view for ours, on PostgreSQL."""
    return f"COMMENT ON VIEW {SCHEMA}.{view.name} IS '{view.comment}'"


def script(role: str | None = None) -> str:
    """The SQL of all of it on PostgreSQL, for an owner of the database; it can be run again.

    With the rights of the `role` that is to write, where that is not the owner.
    """
    statements = [f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"]
    for name, columns in TABLES.items():
        table = f"{SCHEMA}.{name}"
        statements += [*creation(name, table), *(_addition_if_missing(name, table, column) for column in columns)]
    for view in views(is_sqlite=False):
        statements += [view.statement, comment_on(view)]
    if role is not None:
        statements += _grants(role)
    return "".join(f"{statement};\n" for statement in statements)


def _grants(role: str) -> list[str]:
    quoted = '"' + role.replace('"', '""') + '"'
    tables = ", ".join(f"{SCHEMA}.{name}" for name in TABLES)
    named_views = ", ".join(f"{SCHEMA}.{view.name}" for view in views(is_sqlite=False))
    return [
        f"GRANT USAGE ON SCHEMA {SCHEMA} TO {quoted}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {quoted}",
        f"GRANT SELECT ON {named_views} TO {quoted}",
    ]
