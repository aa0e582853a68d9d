"""The kinds of events that core's triggers are to other systems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.http.schemas import json_schema
from app.records.actions import CONFIRMABLE
from app.triggers.catalogue import EMAIL, TriggerType
from app.triggers.samples import USER_SAMPLES
from app.webhooks.event import Category, EventType

RECORD_TYPES = ("birth", "death", "marriage")
PHASES: Mapping[str, str] = {
    "requested": "Somebody asks for it: it is not decided yet",
    "accepted": "It was accepted, and core has it",
    "rejected": "It was rejected",
    "deferred": "It waits to be decided",
}
RECORDS = "events"

_USER = "user/"
_DATA_CHANGES = frozenset({"user.created", "user.updated"})
_MINIMAL = ("eventId", "trackingId", "eventType", "actionId", "action", "registrationNumber")


def user_event_type(kind: TriggerType) -> EventType:
    """Of a trigger that is no record's: user/user-created is user.created, hospital/discharge hospital.discharge."""
    secrets = set(kind.secrets)
    schema = json_schema(kind.schema)
    properties = {name: value for name, value in schema["properties"].items() if name not in secrets}
    required = [name for name in schema.get("required", ()) if name not in secrets]
    name = name_of(kind.path)
    return EventType(
        name=name,
        topic=name.partition(".")[0],
        category=Category.USER_DATA_CHANGE if name in _DATA_CHANGES else Category.TRANSACTIONAL_MESSAGE,
        description=_described(kind),
        schema={"type": "object", "properties": properties, "required": required},
        example={name: value for name, value in _example(kind).items() if name not in secrets},
    )


def name_of(path: str) -> str:
    """The event type of a trigger that is no record's."""
    if path == EMAIL:
        return "system.alert"
    resource, _, action = path.replace("-", "_").partition("/")
    return f"{resource}.{action.removeprefix(f'{resource}_')}".replace("/", ".")


def record_event_type(record_type: str, action: str, phase: str) -> EventType:
    """Of an action of a record, such as events.birth.register.accepted."""
    return EventType(
        name=f"{RECORDS}.{record_type}.{action.lower()}.{phase}",
        topic=RECORDS,
        category=Category.RECORD_ACTION,
        description=f"{action} of a record of type {record_type}. {PHASES[phase]}.",
        schema=_RECORD_SCHEMA,
        example=_record_example(record_type, action, phase),
    )


def all_event_types(kinds: Iterable[TriggerType], seen: Iterable[str] = ()) -> list[EventType]:
    """Every event type, those of records of the types `seen` too, by name."""
    records = [
        record_event_type(record_type, action, phase)
        for record_type in sorted({*RECORD_TYPES, *seen})
        for action in CONFIRMABLE
        for phase in PHASES
    ]
    return sorted([*map(user_event_type, kinds), *records], key=lambda one: one.name)


def minimal(data: Mapping[str, Any]) -> dict[str, Any]:
    """What everybody is told of a record."""
    return {name: data[name] for name in _MINIMAL if name in data}


def minimal_of_user(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What everybody is told of a user: the username, which is what users are known by."""
    return {name: payload[name] for name in ("username", "oldUsername", "newUsername") if name in payload}


def _described(kind: TriggerType) -> str:
    without = f", without {' and '.join(kind.secrets)}" if kind.secrets else ""
    return f"What core sent to {kind.path if kind.path == EMAIL else 'triggers/' + kind.path}{without}."


def _example(kind: TriggerType) -> Mapping[str, Any]:
    if kind.path == EMAIL:
        return {
            "subject": "Disk space is low",
            "html": "<p>The disk of db-1 is 91 % full.</p>",
            "from": "alerts@registry.test",
            "to": "operators@registry.test",
        }
    return USER_SAMPLES.get(kind.path.removeprefix(_USER), {})


def _record_example(record_type: str, action: str, phase: str) -> dict[str, Any]:
    subject = {"birth": "child", "death": "deceased", "marriage": "bride"}.get(record_type, "subject")
    name = {f"{subject}.name": {"firstname": "Chanda", "surname": "Mwale"}}
    example: dict[str, Any] = {
        "eventId": "01e3d3a2-6c55-4d3c-8a3c-4c3f3f3f1a01",
        "trackingId": "B7K3QX",
        "eventType": record_type,
        "actionId": "5d3f2c1b-0a9e-4c8d-b7f6-1e2d3c4b5a60",
        "action": action,
    }
    if action == "REGISTER" and phase == "accepted":
        example["registrationNumber"] = "2026-LSK-000123-7"
    if phase in ("rejected", "deferred"):
        example["reason"] = "The date of birth is missing"
    return example | {
        "createdAt": "2026-05-14T08:30:00.000Z",
        "createdBy": "78fbb2c1-5c0f-4f0e-9f3b-2f6f1f7a9c11",
        "createdByUserType": "user",
        "createdByRole": "LOCAL_REGISTRAR",
        "createdAtLocation": "0d8474da-0361-4d32-979e-af91f012340a",
        "declaration": name,
        "changes": sorted(name),
    }


_TEXT = {"type": "string"}
_ID = {"type": "string", "format": "uuid"}
_RECORD_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "eventId": {**_ID, "description": "The record's id"},
        "trackingId": _TEXT,
        "eventType": {**_TEXT, "description": "The record's type, such as birth"},
        "actionId": {**_ID, "description": "The id of the requested action"},
        "action": {**_TEXT, "enum": list(CONFIRMABLE)},
        "registrationNumber": {**_TEXT, "description": "Where a REGISTER was accepted"},
        "reason": {**_TEXT, "description": "Why it was rejected or deferred, where it was"},
        "createdAt": {**_TEXT, "format": "date-time"},
        "createdBy": {**_TEXT, "description": "The id of the user or the client that asked for the action"},
        "createdByUserType": {**_TEXT, "enum": ["user", "system"]},
        "createdByRole": _TEXT,
        "createdAtLocation": {**_ID, "description": "The id of the office"},
        "declaration": {"type": "object", "description": "The record's fields by their ids, such as child.dob"},
        "annotation": {"type": "object"},
        "content": {"description": "What the action says beside its declaration"},
        "changes": {"type": "array", "items": _TEXT, "description": "The ids of fields that the action changes"},
    },
    "required": ["eventId", "trackingId", "eventType", "actionId", "action"],
}
