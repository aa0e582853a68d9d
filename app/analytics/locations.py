"""Core's locations and administrative areas, in the tables for statistics, and the country's own files beside them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, Double, literal, text

from app.analytics.places import COLUMNS, InvalidFile, read_file, replace_table
from app.analytics.store import AnalyticsStore
from app.analytics.tables import LOCK, Unusable, qualified
from app.database.clock import now
from app.database.engine import Database, DatabaseAway
from app.database.tables import chores
from app.opencrvs.locations import AdministrativeArea, CoreLocations, Location, Refused, Unavailable

log = structlog.get_logger()

EVERY = 3_600.0  # seconds; whichever worker does it
CHORE = "analytics-locations"
_LONGEST_CLOSE = 2.0


@dataclass
class Places:
    """`token` gives a token of core's that is good, "" where there is none. `main` is the outbox's database."""

    store: AnalyticsStore
    core: CoreLocations | None
    token: Callable[[], str]
    main: Database
    directory: Path | None
    _thread: threading.Thread | None = field(default=None, init=False)

    def refresh(self) -> None:
        """A chore: in the background, at most once an hour, where core can be asked. Raises DatabaseAway."""
        if self.core is None or (self._thread is not None and self._thread.is_alive()):
            return
        if not self._is_due() or not self.token() or not self._is_ours():
            return
        self._thread = threading.Thread(target=self._run, name=CHORE, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """What is under way is waited for, but briefly."""
        if self._thread is not None:
            self._thread.join(_LONGEST_CLOSE)

    def take_over(self) -> Iterator[str]:
        """All there is, and a line to each. Raises Unusable, InvalidFile and DatabaseAway."""
        lacking = self.store.layout().lacking
        for table in COLUMNS:
            path = self.directory / "analytics" / f"{table}.csv" if self.directory is not None else None
            if path is not None and path.exists() and table not in lacking:
                rows = read_file(path, table)
                replace_table(self.store, table, rows)
                yield f"{table}: {len(rows)} from {path}"
        yield self._of_core(lacking)

    def _of_core(self, lacking: Sequence[str]) -> str:
        if {"administrative_areas", "locations"} & set(lacking):
            return "core's places: left, since their tables cannot be made"
        if self.core is None:
            return "core's places: left, since GATEWAY_URL is not set"
        token = self.token()
        if not token:
            return (
                "core's places: left, since no token of core's is good; the next action that core asks about brings one"
            )
        areas, locations = self.core.administrative_areas(token), self.core.locations(token)
        for listed in (areas, locations):
            if isinstance(listed, Refused | Unavailable):
                return f"core's places: left, since core did not list them: {listed.reason}"
        assert not isinstance(areas, Refused | Unavailable)  # noqa: S101
        assert not isinstance(locations, Refused | Unavailable)  # noqa: S101
        keep(self.store, areas, locations)
        return f"administrative_areas: {len(areas)} from core\nlocations: {len(locations)} from core"

    def _run(self) -> None:
        try:
            for line in self.take_over():
                log.info("analytics.places", said=line)
        except (Unusable, InvalidFile, DatabaseAway) as error:
            log.error("analytics.places_left", reason=str(error))
        except Exception:
            log.exception("analytics.places_crashed")  # deliveries go on without

    def _is_due(self) -> bool:
        recent = chores.select().where(chores.c.name == CHORE, chores.c.done_at > now() - literal(EVERY, Double))
        with self.main.reading() as connection:
            return connection.execute(recent).first() is None

    def _is_ours(self) -> bool:
        """Whether no other worker does it in this hour; then nobody else will."""
        done = self.main.insert(chores).values(name=CHORE, done_at=now())
        claimed = done.on_conflict_do_update(
            index_elements=[chores.c.name],
            set_={"done_at": now()},
            where=chores.c.done_at <= now() - literal(EVERY, Double),
        )
        with self.main.transaction() as connection:
            return connection.execute(claimed.returning(chores.c.name)).first() is not None


def keep(store: AnalyticsStore, areas: Sequence[AdministrativeArea], locations: Sequence[Location]) -> None:
    """Put in what core lists, parents before children. What it no longer lists stays: old records name it."""
    store.layout()
    known = {area.id for area in areas}
    area_rows = [
        {"id": area.id, "name": area.name, "parent_id": area.parent_id if area.parent_id in known else None}
        for area in parents_first(areas)
    ]
    location_rows = [
        {
            "id": one.id,
            "name": one.name,
            "administrative_area_id": one.administrative_area_id if one.administrative_area_id in known else None,
            "location_type": one.location_type or "",
        }
        for one in sorted(locations, key=lambda one: one.id)
    ]
    with store.database.transaction() as connection:
        if not store.database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        _put(connection, qualified(store.database, "administrative_areas"), area_rows)
        _put(connection, qualified(store.database, "locations"), location_rows)


def parents_first(areas: Sequence[AdministrativeArea]) -> list[AdministrativeArea]:
    """Those of a circle, which has no top, come last."""
    by_id = {area.id: area for area in areas}
    ordered: dict[str, AdministrativeArea] = {}
    for area in sorted(areas, key=lambda area: area.id):
        path: dict[str, AdministrativeArea] = {}
        step: AdministrativeArea | None = area
        while step is not None and step.id not in ordered and step.id not in path:
            path[step.id] = step
            step = by_id.get(step.parent_id or "")
        ordered |= dict(reversed(path.items()))
    return list(ordered.values())


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
