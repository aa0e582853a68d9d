"""Event documents in bulk: the usual envelope is looked at without a schema, which takes most of the time there."""

from __future__ import annotations

from typing import Any

from app.records import validation
from app.records.formats import is_date_time, is_uuid
from app.records.schema import EventDocument, event_document

_TEXTS = {
    "id": "id",
    "type": "type",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "tracking_id": "trackingId",
}


def document_of(payload: Any) -> EventDocument:
    """As `event_document`, which has the last word on all that is not as usual. Raises InvalidDocument."""
    try:
        texts = {name: payload[key] for name, key in _TEXTS.items()}
        if (
            all(type(text) is str for text in texts.values())
            and type(payload["actions"]) is list
            and is_uuid(texts["id"])
            and is_date_time(texts["created_at"])
            and is_date_time(texts["updated_at"])
        ):
            return EventDocument(**texts, actions=tuple([validation.action(value) for value in payload["actions"]]))
    except (KeyError, TypeError, validation.InvalidAction):
        pass
    return event_document(payload)
