"""What happened, as other systems are told of it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

PUBLISHER = "opencrvs"

_NAMESPACE = uuid.UUID("5a5f6c0e-3f0b-4f57-9a52-6a1f3f1d9d52")


class Category(StrEnum):
    """What an event type is about. A subscription may name one of these in place of the types in it."""

    USER_DATA_CHANGE = "user-data-change"
    TRANSACTIONAL_MESSAGE = "transactional-message"
    RECORD_ACTION = "record-action"
    OPERATIONAL = "operational"


@dataclass(frozen=True)
class EventType:
    """A kind of event. `schema` is the JSON Schema of an event's `data` with all attributes, `example` such data."""

    name: str
    topic: str
    category: Category
    description: str
    schema: Mapping[str, Any] = field(repr=False)
    example: Mapping[str, Any] = field(repr=False)
    publisher: str = PUBLISHER
    actions: tuple[str, ...] = ("notify",)

    def is_named_by(self, pattern: str) -> bool:
        """Whether a subscription to this name, pattern or category is told of it; `*` stands for anything."""
        return pattern == self.category or _fits(pattern, self.name)

    def as_json(self) -> dict[str, Any]:
        """As the catalogue shows it."""
        return {
            "name": self.name,
            "topic": self.topic,
            "publisher": self.publisher,
            "category": self.category,
            "description": self.description,
            "actions": list(self.actions),
            "schema": self.schema,
            "example": self.example,
        }


def _fits(pattern: str, name: str) -> bool:
    """Without regular expressions: a pattern of many stars would keep one busy for minutes."""
    first, *others = pattern.split("*")
    if not others:
        return pattern == name
    *between, last = others
    at = len(first)
    if not name.startswith(first) or not name.endswith(last) or len(name) < at + len(last):
        return False
    end = len(name) - len(last)
    for part in between:
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


@dataclass(frozen=True)
class Event:
    """One event. `id` is the same each time that it is told. `occurred_at` is in UTC seconds.

    `minimal` is the part of the data that everybody is told, `data` the whole: it may name people. `revision` grows
    where it has become another one since it was told, such as an accept with another number: it is told again then.
    """

    id: str
    type: EventType
    occurred_at: float
    minimal: Mapping[str, Any] = field(repr=False)
    data: Mapping[str, Any] = field(repr=False)
    revision: int = 1

    def for_filter(self) -> dict[str, Any]:
        """What a filter looks at: the event as it is delivered with all attributes, and what is known beside it."""
        return {
            **self.told("all"),
            "eventType": self.type.name,
            "topic": self.type.topic,
            "publisher": self.type.publisher,
        }

    def told(self, attributes: str | Sequence[str]) -> dict[str, Any]:
        """The event with these attributes: "minimal", "all", or names of those that are told beside the minimal."""
        return {"id": self.id, "type": self.type.name, "timestamp": timestamp(self.occurred_at)} | {
            "data": self.chosen(attributes)
        }

    def chosen(self, attributes: str | Sequence[str]) -> dict[str, Any]:
        """The data alone. A field of the declaration is named as `declaration.child.dob`."""
        if attributes == "all":
            return dict(self.data)
        chosen = dict(self.minimal)
        if isinstance(attributes, str):
            return chosen
        for name in attributes:
            whole, _, part = name.partition(".")
            if name in self.data:
                chosen[name] = self.data[name]
            elif part and isinstance(self.data.get(whole), Mapping) and part in self.data[whole]:
                chosen[whole] = {**chosen.get(whole, {}), part: self.data[whole][part]}
        return chosen


def event_id(trigger_id: str, type_name: str, revision: int = 1) -> str:
    """The same for the same event, however often it is worked out."""
    named = f"{trigger_id} {type_name}" + (f" {revision}" if revision > 1 else "")
    return f"msg_{uuid.uuid5(_NAMESPACE, named).hex}"


def timestamp(seconds: float) -> str:
    """UTC seconds as RFC 3339 has it, with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def as_bytes(body: Any) -> bytes:
    """A JSON value as it is sent, and signed. ASCII, so that texts that are not whole Unicode survive."""
    return json.dumps(body, separators=(",", ":"), allow_nan=False).encode("ascii")
