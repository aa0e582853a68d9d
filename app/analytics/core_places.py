"""Core's locations and administrative areas in their tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import Connection, text

from app.analytics.places import writing
from app.analytics.store import AnalyticsStore
from app.analytics.tables import qualified
from app.opencrvs.locations import AdministrativeArea, Location

log = structlog.get_logger()


def keep(store: AnalyticsStore, areas: Sequence[AdministrativeArea], locations: Sequence[Location]) -> None:
    """Put in what core lists, parents before children. What it no longer lists stays: old records name it.

    Raises Unusable, DatabaseAway, and sqlalchemy's DataError and IntegrityError.
    """
    store.layout()
    with writing(store) as connection:
        table = qualified(store.database, "administrative_areas")
        listed = {area.id for area in areas}
        unlisted = [area for area in _stored_areas(connection, table) if area.id not in listed]
        ordered = parents_first([*areas, *unlisted])
        _put(
            connection,
            table,
            [{"id": area.id, "name": area.name, "parent_id": area.parent_id} for area in ordered],
        )
        known = {area.id for area in ordered}
        _put(
            connection,
            qualified(store.database, "locations"),
            [
                {
                    "id": one.id,
                    "name": one.name,
                    "administrative_area_id": one.administrative_area_id
                    if one.administrative_area_id in known
                    else None,
                    "location_type": one.location_type or "",
                }
                for one in sorted(locations, key=lambda one: one.id)
            ],
        )


def parents_first(areas: Sequence[AdministrativeArea]) -> list[AdministrativeArea]:
    """Without the parents that are not among them. A circle is opened, so that one of it has none."""
    by_id = {area.id: area for area in areas}
    ordered: dict[str, AdministrativeArea] = {}
    for area in sorted(areas, key=lambda area: area.id):
        path: dict[str, AdministrativeArea] = {}
        step: AdministrativeArea | None = area
        while step is not None and step.id not in ordered and step.id not in path:
            path[step.id] = step
            step = by_id.get(step.parent_id or "")
        for one in reversed(path.values()):
            is_below = one.parent_id in ordered
            if not is_below and one.parent_id in by_id:
                log.warning("analytics.places_in_a_circle", area_id=one.id, advice="it lies in itself: mend it in core")
            ordered[one.id] = one if is_below else dataclasses.replace(one, parent_id=None)
    return list(ordered.values())


def _stored_areas(connection: Connection, table: str) -> list[AdministrativeArea]:
    rows = connection.execute(text(f"SELECT id, name, parent_id FROM {table}"))  # noqa: S608
    return [
        AdministrativeArea(str(row.id).lower(), row.name, None, row.parent_id and str(row.parent_id).lower())
        for row in rows
    ]


def _put(connection: Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update what has changed, insert what is new; whatever the types and constraints of the table are."""
    if not rows:
        return
    columns = list(rows[0])
    stored = {
        str(row["id"]).lower(): row
        for row in connection.execute(text(f"SELECT {', '.join(columns)} FROM {table}")).mappings()  # noqa: S608
    }
    new = [row for row in rows if row["id"] not in stored]
    changed = [row for row in rows if row["id"] in stored and not _is_same(row, stored[row["id"]])]
    if new:
        places = ", ".join(f":{column}" for column in columns)
        connection.execute(text(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"), new)  # noqa: S608
    if changed:
        values = ", ".join(f"{column} = :{column}" for column in columns[1:])
        connection.execute(text(f"UPDATE {table} SET {values} WHERE id = :id"), changed)  # noqa: S608


def _is_same(row: Mapping[str, Any], stored: Mapping[Any, Any]) -> bool:
    return all(value == (None if stored[column] is None else str(stored[column])) for column, value in row.items())
