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


def is_indexed(connection: Connection, table: str, column: str) -> bool:
    """Whether an index of any name begins with the column."""
    if connection.dialect.name == "sqlite":
        found = text(
            "SELECT 1 FROM pragma_index_list(:name) AS list, pragma_index_info(list.name) AS info "
            "WHERE info.seqno = 0 AND info.name = :column"
        )
    else:
        found = text(
            "SELECT 1 FROM pg_index JOIN pg_class ON pg_class.oid = indrelid "  # noqa: S608
            "JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0] "
            f"WHERE {_NAMED} AND attname = :column AND indisvalid AND indpred IS NULL"
        ).bindparams(schema=SCHEMA)
    return connection.execute(found, {"name": table, "column": column}).first() is not None
