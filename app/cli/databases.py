"""What commands share that look into the database: how it is opened, and how its times are shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from app.database import schema
from app.database.engine import Database
from app.settings import Settings


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database, with the tables that this program expects. Raises OldSchema and DatabaseAway."""
    database = Database(settings.database_url)
    try:
        schema.check(database)
        yield database
    finally:
        database.close()


def shown_time(seconds: float | None) -> str:
    """UTC; empty for None, and far away for what no calendar has."""
    if seconds is None:
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return "9999"
