"""What stands in the tables for statistics, for an operator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text

from app.analytics.store import AnalyticsStore
from app.analytics.tables import qualified


@dataclass(frozen=True)
class Standing:
    """`newest` is the latest action, as the database writes it."""

    rows: int
    events: int
    newest: str
    event_types: tuple[str, ...]
    areas: int
    locations: int
    lacking: tuple[str, ...]

    def lines(self) -> Iterator[tuple[str, str]]:
        yield "Events", f"{self.events:,}"
        yield "Rows", f"{self.rows:,}"
        yield "Newest action", self.newest or "none"
        yield "Administrative areas", f"{self.areas:,}"
        yield "Locations", f"{self.locations:,}"
        yield "Lacking", ", ".join(self.lacking) or "nothing"


def holds(store: AnalyticsStore, event_id: str) -> bool:
    """Whether rows of this event are there. Raises Unusable and DatabaseAway."""
    store.layout()
    table = qualified(store.database, "event_actions")
    wanted = ":id" if store.database.is_sqlite else "CAST(:id AS uuid)"
    with store.database.reading() as connection:
        any_row = text(f"SELECT 1 FROM {table} WHERE event_id = {wanted} LIMIT 1")  # noqa: S608
        return connection.execute(any_row, {"id": event_id}).first() is not None


def standing(store: AnalyticsStore) -> Standing:
    """Counts all rows, which takes its time on many millions. Raises Unusable and DatabaseAway."""
    layout = store.layout()
    database = store.database
    with database.reading() as connection:
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL statement_timeout = '10min'"))
        counted = (
            f"SELECT count(*), count(DISTINCT event_id), max(created_at) FROM {qualified(database, 'event_actions')}"  # noqa: S608
        )
        rows, events, newest = connection.execute(text(counted)).one()
        kinds = text(f"SELECT DISTINCT event_type FROM {qualified(database, 'event_actions')} ORDER BY 1")  # noqa: S608
        event_types = tuple(connection.scalars(kinds))
        areas, locations = (
            0
            if name in layout.lacking
            else int(connection.scalar(text(f"SELECT count(*) FROM {qualified(database, name)}")) or 0)  # noqa: S608
            for name in ("administrative_areas", "locations")
        )
    return Standing(rows, events, str(newest or ""), event_types, areas, locations, layout.lacking)
