"""What stands in event_actions, in one form for both databases."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import text

from app.analytics.rows import COLUMNS, EventRows, event_rows
from app.analytics.store import AnalyticsStore
from app.records.schema import event_document
from tests.analytics.test_rows import FIELDS, NOTES, marking

Json = dict[str, Any]
JSON_COLUMNS = ("declaration", "annotation", "content")
EVERYTHING = marking(*FIELDS, notes=tuple(NOTES))


def made(event: Json) -> EventRows:
    return event_rows(event_document(event), EVERYTHING)


def in_table(store: AnalyticsStore) -> list[Json]:
    """All rows, by event and action: JSON parsed, ids and times as text."""
    prefix = "" if store.database.is_sqlite else "analytics."
    with store.database.reading() as connection:
        rows = connection.execute(text(f"SELECT {', '.join(COLUMNS)} FROM {prefix}event_actions")).mappings().all()  # noqa: S608
    return sorted((plain(dict(row)) for row in rows), key=lambda row: (row["event_id"], row["id"]))


def expected(*events: EventRows) -> list[Json]:
    rows = [dict(zip(COLUMNS, row, strict=True)) for event in events for row in event.rows]
    return sorted((plain(dict(row)) for row in rows), key=lambda row: (row["event_id"], row["id"]))


def plain(row: Json) -> Json:
    for column, value in row.items():
        if column in JSON_COLUMNS and isinstance(value, str):
            row[column] = json.loads(value)
        elif hasattr(value, "astimezone"):
            row[column] = value.strftime("%Y-%m-%dT%H:%M:%S.%f")[:23] + "Z"
        elif value is not None and column not in JSON_COLUMNS:
            row[column] = str(value)
    return row
