"""The rows of an event as they will be once core has taken a country's answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from app.analytics.marking import Marking
from app.analytics.rows import EventRows, event_rows
from app.records.actions import Action
from app.records.schema import EventDocument
from app.records.state import merge


def rows_if_accepted(
    document: EventDocument, pending: Action, answer: Mapping[str, Any], marking: Marking
) -> EventRows:
    """With the pending action as the accepted one, until core's own copy, under an id of its own, takes its place.

    They count one action more than the document: they are newer than it, and core's own has that many. Raises Unfit.
    """
    changes: dict[str, Any] = {
        "status": "Accepted",
        "declaration": merge(pending.declaration, answer.get("declaration") or {}),
        "annotation": merge(pending.annotation or {}, answer.get("annotation") or {}) or None,
    }
    if pending.type == "REGISTER" and "registrationNumber" in answer:
        changes["registration_number"] = answer["registrationNumber"]
    accepted = replace(pending, **changes)
    actions = tuple(accepted if action is pending else action for action in document.actions)
    rows = event_rows(replace(document, actions=actions), marking)
    updated_at, count = rows.version
    return dataclasses.replace(rows, version=(updated_at, count + 1), is_expected=True)
