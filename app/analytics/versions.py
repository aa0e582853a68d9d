"""Which version of an event is stored.

It stands in event_versions. Where that table may not be made, the stored rows themselves say it, as far as they can:
of two documents of one event, the newer one has a later action, or more of them, or more is known of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from app.analytics.rows import COLUMNS, EventRows
from app.analytics.tables import qualified
from app.database.engine import Database

_CREATED_AT, _DECLARED_AT, _REGISTERED_AT = map(COLUMNS.index, ("created_at", "declared_at", "registered_at"))

AnyVersion = tuple[Any, ...]
"""The greater one is the newer; only those of one kind are compared."""


@dataclass(frozen=True)
class Versions:
    """`are_kept` is whether there is a table for them."""

    database: Database
    are_kept: bool

    def version(self, event: EventRows) -> AnyVersion:
        """Of what is to be written."""
        if self.are_kept:
            return event.version
        if not event.rows:
            return ("", 0, 0)
        dates = [event.rows[0][_DECLARED_AT], event.rows[0][_REGISTERED_AT]]
        latest = max(str(row[_CREATED_AT]) for row in event.rows)
        return (_microseconds(latest), len(event.rows), sum(date is not None for date in dates))

    def of(self, connection: Connection, event_ids: Sequence[str]) -> dict[str, AnyVersion]:
        """Of what is stored, by event."""
        if not event_ids:
            return {}
        statement = self._of_table() if self.are_kept else self._of_rows()
        if self.database.is_sqlite:
            found: list[Any] = []
            for event_id in event_ids:
                found += connection.exec_driver_sql(statement.format(condition="event_id = ?"), (event_id,)).all()
        else:
            condition = "event_id = ANY(CAST(:ids AS uuid[]))"
            found = list(connection.execute(text(statement.format(condition=condition)), {"ids": list(event_ids)}))
        return {str(event_id): tuple(version) for event_id, *version in found}

    def keep(self, connection: Connection, events: Sequence[EventRows]) -> None:
        """Write down the versions of what was written."""
        if not self.are_kept or not events:
            return
        table = qualified(self.database, "event_versions")
        rows = [(event.event_id, *event.version) for event in events]
        columns = f"{table} (event_id, updated_at, actions)"
        renewed = "ON CONFLICT (event_id) DO UPDATE SET updated_at = excluded.updated_at, actions = excluded.actions"
        if self.database.is_sqlite:
            connection.exec_driver_sql(f"INSERT INTO {columns} VALUES (?, ?, ?) {renewed}", rows)  # noqa: S608
        else:
            unnested = "unnest(CAST(:ids AS uuid[]), CAST(:moments AS text[]), CAST(:counts AS integer[]))"
            ids, moments, counts = map(list, zip(*rows, strict=True))
            connection.execute(
                text(f"INSERT INTO {columns} SELECT * FROM {unnested} {renewed}"),  # noqa: S608
                {"ids": ids, "moments": moments, "counts": counts},
            )

    def _of_table(self) -> str:
        table = qualified(self.database, "event_versions")
        return f"SELECT event_id, updated_at, actions FROM {table} WHERE {{condition}}"  # noqa: S608

    def _of_rows(self) -> str:
        table = qualified(self.database, "event_actions")
        latest = "to_char(max(created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24\\:MI\\:SS.US')"
        return (
            f"SELECT event_id, {latest}, count(*), "  # noqa: S608
            "max(CASE WHEN declared_at IS NULL THEN 0 ELSE 1 END) "
            "+ max(CASE WHEN registered_at IS NULL THEN 0 ELSE 1 END) "
            f"FROM {table} WHERE {{condition}} GROUP BY event_id"
        )


def _microseconds(moment: str) -> str:
    whole, _, fraction = moment.removesuffix("Z").partition(".")
    return f"{whole}.{fraction:0<6}"
