"""Which version of an event is stored.

It stands in event_versions. Where it does not, since that table may not be made or came after the rows, the stored rows
themselves say it, as far as they can: of two documents of one event, the newer one has a later action, or more of them,
or more is known of them.

Rows for which core's answer was expected, and never came, count one action more than core's own document of the same
moment: after an hour nobody expects it any more, and the document takes their place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from app.analytics.rows import COLUMNS, EventRows, Version
from app.analytics.tables import Layout, qualified
from app.database.clock import now
from app.database.engine import Database

_EXPECTED_FOR = 3600  # seconds

_CREATED_AT, _DECLARED_AT, _REGISTERED_AT = map(COLUMNS.index, ("created_at", "declared_at", "registered_at"))

_RowsVersion = tuple[str, int, int]
"""The latest action, how many there are, and of how many dates one knows: the greater one is the newer."""


@dataclass(frozen=True)
class _Kept:
    version: Version
    is_settled: bool

    def is_newer_than(self, version: Version) -> bool:
        is_of_this_moment = version[0] == self.version[0]
        return version < self.version and not (self.is_settled and is_of_this_moment)


@dataclass(frozen=True)
class Versions:
    """Of what is stored."""

    database: Database
    layout: Layout

    def older_than_stored(self, connection: Connection, events: Sequence[EventRows]) -> set[int]:
        """Their places."""
        event_ids = list(dict.fromkeys(event.event_id for event in events))
        kept = self._kept(connection, event_ids) if self.layout.has_versions else {}
        rows = self._of_rows(connection, [event_id for event_id in event_ids if event_id not in kept])
        older = set()
        for position, event in enumerate(events):
            if event.event_id in kept:
                is_older = kept[event.event_id].is_newer_than(event.version)
            else:
                is_older = event.event_id in rows and _as_rows_say(event) < rows[event.event_id]
            if is_older:
                older.add(position)
        return older

    def keep(self, connection: Connection, events: Sequence[EventRows]) -> None:
        """Write down the versions of what was written."""
        if not self.layout.has_versions or not events:
            return
        table = qualified(self.database, "event_versions")
        rows: list[tuple[str | int | bool, ...]] = [(one.event_id, *one.version, one.is_expected) for one in events]
        columns, since = ["event_id", "updated_at", "actions"], ""
        if self.layout.has_times:
            columns.append("expected_since")
            since = f", CASE WHEN {{}} THEN {_now(connection)} END"
        into = f"INSERT INTO {table} ({', '.join(columns)})"
        renewed = ", ".join(f"{column} = excluded.{column}" for column in columns[1:])
        on_conflict = f"ON CONFLICT (event_id) DO UPDATE SET {renewed}"
        if self.database.is_sqlite:
            rows = rows if since else [row[:3] for row in rows]
            connection.exec_driver_sql(f"{into} VALUES (?, ?, ?{since.format('?')}) {on_conflict}", rows)
        else:
            ids, moments, counts, expected = map(list, zip(*rows, strict=True))
            unnested = (
                "unnest(CAST(:ids AS uuid[]), CAST(:moments AS text[]), CAST(:counts AS integer[]), "
                "CAST(:expected AS boolean[])) AS event (id, moment, count, is_expected)"
            )
            values = f"event.id, event.moment, event.count{since.format('event.is_expected')}"
            connection.execute(
                text(f"{into} SELECT {values} FROM {unnested} {on_conflict}"),  # noqa: S608
                {"ids": ids, "moments": moments, "counts": counts, "expected": expected},
            )

    def _kept(self, connection: Connection, event_ids: Sequence[str]) -> dict[str, _Kept]:
        table = qualified(self.database, "event_versions")
        is_settled = "1 = 0"
        if self.layout.has_times:
            is_settled = f"expected_since IS NOT NULL AND expected_since < {_now(connection)} - {_EXPECTED_FOR}"
        kept = f"SELECT event_id, updated_at, actions, {is_settled} FROM {table} WHERE {{condition}}"  # noqa: S608
        return {
            event_id: _Kept((updated_at, actions), bool(settled))
            for event_id, updated_at, actions, settled in self._all(connection, kept, event_ids)
        }

    def _of_rows(self, connection: Connection, event_ids: Sequence[str]) -> dict[str, _RowsVersion]:
        table = qualified(self.database, "event_actions")
        latest = "max(created_at)"
        if not self.database.is_sqlite:
            latest = f"to_char({latest} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24\\:MI\\:SS.US')"
        of_rows = (
            f"SELECT event_id, {latest}, count(*), "  # noqa: S608
            "max(CASE WHEN declared_at IS NULL THEN 0 ELSE 1 END) "
            "+ max(CASE WHEN registered_at IS NULL THEN 0 ELSE 1 END) "
            f"FROM {table} WHERE {{condition}} GROUP BY event_id"
        )
        return {
            event_id: (_microseconds(latest_action), count, dates)
            for event_id, latest_action, count, dates in self._all(connection, of_rows, event_ids)
        }

    def _all(self, connection: Connection, statement: str, event_ids: Sequence[str]) -> list[tuple[Any, ...]]:
        """Of these events; the first column is the event's id."""
        if not event_ids:
            return []
        if self.database.is_sqlite:
            found: list[Any] = []
            for event_id in event_ids:
                found += connection.exec_driver_sql(statement.format(condition="event_id = ?"), (event_id,)).all()
        else:
            condition = "event_id = ANY(CAST(:ids AS uuid[]))"
            found = list(connection.execute(text(statement.format(condition=condition)), {"ids": list(event_ids)}))
        return [(str(event_id), *values) for event_id, *values in found]


def _now(connection: Connection) -> str:
    return str(now().compile(dialect=connection.dialect))


def _as_rows_say(event: EventRows) -> _RowsVersion:
    if not event.rows:
        return ("", 0, 0)
    dates = [event.rows[0][_DECLARED_AT], event.rows[0][_REGISTERED_AT]]
    latest = max(_microseconds(str(row[_CREATED_AT])) for row in event.rows)
    return (latest, len(event.rows), sum(date is not None for date in dates))


def _microseconds(moment: str) -> str:
    whole, _, fraction = moment.removesuffix("Z").partition(".")
    return f"{whole}.{fraction:0<6}"
