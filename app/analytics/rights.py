"""What is in the database for statistics, and what of it this user may use."""

from __future__ import annotations

from sqlalchemy import Connection, text

from app.analytics.definitions import SCHEMA

# Beside reading and adding rows. Places are changed or added, and files about them replaced.
_NEEDED = {
    "event_actions": "DELETE",
    "event_versions": "UPDATE",
    "administrative_areas": "UPDATE",
    "locations": "UPDATE",
    "location_levels": "DELETE",
    "location_statistics": "DELETE",
}
_NAMED = "pg_class.relname = :name AND pg_class.relnamespace = to_regnamespace(:schema)"


def columns_of(connection: Connection, table: str) -> dict[str, bool]:
    """Those that are there, and whether this user may use them as we do; none where there is no such table."""
    if connection.dialect.name == "sqlite":
        named = text("SELECT name FROM pragma_table_info(:table)")
        return dict.fromkeys(connection.scalars(named, {"table": table}), True)
    found = connection.execute(
        text(
            "SELECT attname, has_table_privilege(attrelid, :right) "  # noqa: S608
            "AND has_column_privilege(attrelid, attnum, 'SELECT') AND has_column_privilege(attrelid, attnum, 'INSERT') "
            "FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
            f"WHERE {_NAMED} AND attnum > 0 AND NOT attisdropped"
        ),
        {"name": table, "schema": SCHEMA, "right": _NEEDED[table]},
    )
    return {column: bool(is_usable) for column, is_usable in found}


def may_use_schema(connection: Connection) -> bool | None:
    """None where there is none."""
    may: bool | None = connection.scalar(
        text("SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = :schema"), {"schema": SCHEMA}
    )
    return may


def may_read(connection: Connection, view: str) -> bool | None:
    """None where there is nothing of that name, on PostgreSQL."""
    named = text(f"SELECT has_table_privilege(oid, 'SELECT') FROM pg_class WHERE {_NAMED}")  # noqa: S608
    may: bool | None = connection.scalar(named, {"name": view, "schema": SCHEMA})
    return may
