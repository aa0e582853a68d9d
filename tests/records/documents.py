"""Event documents: core's own, small ones made to measure, and where their problems are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.records.schema import InvalidDocument, event_document

CONTRACT = Path(__file__).parents[1] / "contract"
ProblemPath = list[str | int]


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"  # the same in every process, for the names of tests


ABSENT: Any = _Absent()
"""As a value, takes the key away."""


def lines(name: str) -> list[Any]:
    """The JSON values of a file of the contract, one a line."""
    return [json.loads(line) for line in (CONTRACT / name).read_text(encoding="utf-8").splitlines()]


EVENTS = lines("events.jsonl")
STATES = lines("event-states.jsonl")


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def action(type_: str = "DECLARE", number: int = 1, **changes: Any) -> dict[str, Any]:
    """A Requested action with the fields that its type demands."""
    fields = {
        "id": uuid(number),
        "type": type_,
        "transactionId": f"t{number}",
        "createdByUserType": "user",
        "createdAt": "2026-01-01T00:00:00.000Z",
        "createdBy": "amina",
        "declaration": {},
        "status": "Requested",
    }
    return changed(fields | OWN_FIELDS.get(type_, {}), **changes)


def document(*actions: Any, **changes: Any) -> dict[str, Any]:
    fields = {
        "id": uuid(0),
        "type": "birth",
        "createdAt": "2026-01-01T00:00:00.000Z",
        "updatedAt": "2026-01-01T00:00:00.000Z",
        "trackingId": "ABC123",
        "actions": list(actions),
    }
    return changed(fields, **changes)


def changed(fields: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {key: value for key, value in (fields | changes).items() if value is not ABSENT}


OWN_FIELDS: dict[str, dict[str, Any]] = {
    "EDIT": {"content": {}},
    "REJECT": {"content": {"reason": "Illegible"}},
    "ARCHIVE": {"content": {"reason": "A test"}},
    "APPROVE_CORRECTION": {"requestId": uuid(9)},
    "REJECT_CORRECTION": {"requestId": uuid(9), "content": {"reason": "No proof"}},
    "CUSTOM": {"customActionType": "VALIDATE"},
    "ASSIGN": {"assignedTo": "amina"},
    "DUPLICATE_DETECTED": {"content": {"duplicates": [{"id": uuid(8), "trackingId": "DEF456"}]}},
}
"""What a type demands beside what all demand."""


def nested(depth: int) -> Any:
    """{"a": {"a": ... {}}}"""
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


def paths(payload: Any) -> list[ProblemPath]:
    """Where the problems of a payload are; nowhere, if it is valid."""
    try:
        event_document(payload)
    except InvalidDocument as error:
        return [problem["path"] for problem in error.problems]
    return []
