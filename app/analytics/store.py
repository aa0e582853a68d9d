"""Rows of events in the database for statistics: each write replaces all rows of its events, and never newer ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from app.analytics import tables
from app.analytics.bulk import copy_text, insert_all, projected
from app.analytics.refusals import RefusedByDatabase, telling_refusals
from app.analytics.rows import EventRows
from app.analytics.tables import LOCK, Layout, Unusable, qualified
from app.analytics.versions import Versions
from app.database.engine import Database, DatabaseAway

log = structlog.get_logger()

STALE = "older than what is stored"
NUMBER_TAKEN = "its registration number is held by another event"

_PIECE = 16  # events


@dataclass(frozen=True)
class Unwritten:
    """Why an event was not written. `is_alarming` where somebody must look into it."""

    reason: str
    is_alarming: bool = True


class AnalyticsStore:
    """The tables for statistics. Safe for threads, for several processes, and over a fork."""

    def __init__(self, database: Database, *, again_after: float = 300) -> None:
        """While something is lacking, it is tried again after so many seconds: somebody may have given us the right."""
        self._database = database
        self._again_after = again_after
        self._again_at = 0.0
        self._layout: Layout | None = None
        self._lock = threading.Lock()

    @property
    def database(self) -> Database:
        return self._database

    def layout(self) -> Layout:
        """What is there, made at the first call where it is missing. Raises Unusable and DatabaseAway."""
        with self._lock:
            layout = self._layout
            if layout is None or (layout.lacking and time.monotonic() >= self._again_at):
                self._again_at = time.monotonic() + self._again_after
                layout = self._layout = self._prepared(layout)
            return layout

    def _prepared(self, before: Layout | None) -> Layout:
        try:
            return tables.prepare(self._database)
        except (DatabaseAway, Unusable):
            if before is None:
                raise
            return before  # what is there will do, and the write finds out for itself whether it still is

    def write(self, events: Sequence[EventRows]) -> list[Unwritten | None]:
        """Write them in one transaction, and say of each why not, in their order; None where it is written.

        Where the database refuses that, for what one of them may hold, each is written alone. Raises Unfit, Unusable
        and DatabaseAway, and then nothing of it is certain.
        """
        layout = self.layout()
        try:
            try:
                with telling_refusals():
                    return self._write_together(events, layout)
            except RefusedByDatabase:
                outcomes = [self._write_alone(event, layout) for event in events]
                for position, outcome in enumerate(outcomes):
                    if outcome is not None and outcome.reason == NUMBER_TAKEN:  # its holder may have given it up since
                        outcomes[position] = self._write_alone(events[position], layout)
                return outcomes
        except (ProgrammingError, psycopg.ProgrammingError) as error:
            self._layout = None  # somebody may have changed the tables
            reason = str(getattr(error, "orig", error)).splitlines()[0]
            raise Unusable(f"ANALYTICS_DATABASE_URL: {reason}") from error

    def _write_alone(self, event: EventRows, layout: Layout) -> Unwritten | None:
        try:
            with telling_refusals():
                (outcome,) = self._write_together([event], layout)
        except RefusedByDatabase as error:
            log.error("analytics.refused", event_id=event.event_id, reason=str(error))
            return Unwritten(f"the database refuses it: {error}")
        return outcome

    def _write_together(self, events: Sequence[EventRows], layout: Layout) -> list[Unwritten | None]:
        versions = Versions(self._database, layout)
        with self._database.transaction() as connection:
            if not self._database.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            fresh, outcomes = _without_stale(events, versions, connection)
            fresh = self._without_taken_numbers(connection, fresh, outcomes)
            ids = [event.event_id for event in fresh.values()]
            self._delete(connection, ids)
            table = qualified(self._database, "event_actions")
            if self._database.is_sqlite:
                rows = [row for event in fresh.values() for row in event.rows]
                insert_all(connection, table, layout.columns, projected(rows, layout.columns))
            else:
                statement = f"COPY {table} ({', '.join(layout.columns)}) FROM STDIN WITH (NULL E'\\x02')"
                _copy(connection, statement, list(fresh.values()), layout.columns)
            versions.keep(connection, list(fresh.values()))
        return [outcomes.get(position) for position in range(len(events))]

    def _delete(self, connection: Connection, event_ids: Sequence[str]) -> None:
        table = qualified(self._database, "event_actions")
        if not event_ids:
            return
        if self._database.is_sqlite:
            delete = f"DELETE FROM {table} WHERE event_id = ?"  # noqa: S608
            connection.exec_driver_sql(delete, [(event_id,) for event_id in event_ids])
        else:
            delete = f"DELETE FROM {table} WHERE event_id = ANY(CAST(:ids AS uuid[]))"  # noqa: S608
            connection.execute(text(delete), {"ids": list(event_ids)})

    def _without_taken_numbers(
        self, connection: Connection, fresh: dict[int, EventRows], outcomes: dict[int, Unwritten | None]
    ) -> dict[int, EventRows]:
        """A number is in the table once: the event that would bring it a second time stays as it is."""
        numbers = [number for event in fresh.values() for number in event.numbers]
        if not numbers:
            return fresh
        taken = self._held_by_others(connection, numbers, [event.event_id for event in fresh.values()])
        free: dict[int, EventRows] = {}
        for position, event in fresh.items():
            if taken.intersection(event.numbers):
                outcomes[position] = Unwritten(NUMBER_TAKEN)
                log.error(
                    "analytics.number_taken", event_id=event.event_id, advice="two records have one number in core"
                )
            else:
                free[position] = event
                taken.update(event.numbers)
        return free

    def _held_by_others(self, connection: Connection, numbers: Sequence[str], event_ids: Sequence[str]) -> set[str]:
        table = qualified(self._database, "event_actions")
        if self._database.is_sqlite:
            found = {}
            for number in numbers:
                holder = f"SELECT event_id FROM {table} WHERE registration_number = ?"  # noqa: S608
                found[number] = connection.exec_driver_sql(holder, (number,)).scalar()
            ours = set(event_ids)
            return {number for number, event_id in found.items() if event_id is not None and event_id not in ours}
        held = (
            f"SELECT registration_number FROM {table} WHERE registration_number = ANY(CAST(:numbers AS text[])) "  # noqa: S608
            "AND event_id <> ALL(CAST(:ids AS uuid[]))"
        )
        return set(connection.scalars(text(held), {"numbers": list(numbers), "ids": list(event_ids)}))


def _without_stale(
    events: Sequence[EventRows], versions: Versions, connection: Connection
) -> tuple[dict[int, EventRows], dict[int, Unwritten | None]]:
    """Those to write, by their places, and why the others are not. Of several of one event the newest is written."""
    older = versions.older_than_stored(connection, events)
    newest: dict[str, int] = {}
    for position, event in enumerate(events):
        if position in older:
            continue
        if event.event_id not in newest or event.version >= events[newest[event.event_id]].version:
            newest[event.event_id] = position
    fresh = {position: events[position] for position in sorted(newest.values())}
    stale = Unwritten(STALE, is_alarming=False)
    return fresh, {position: stale for position in range(len(events)) if position not in fresh}


def _copy(connection: Connection, statement: str, events: Sequence[EventRows], columns: Sequence[str]) -> None:
    """In pieces, so that the server takes one while we make the next."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for start in range(0, len(events), _PIECE):
            rows = [row for event in events[start : start + _PIECE] for row in event.rows]
            copy.write(copy_text(projected(rows, columns)))
