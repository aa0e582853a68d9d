"""Which fields of which event types may be kept: what is not marked stays in the record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

from app.analytics.computing import Computing
from app.country import Country

WITHOUT_EFFECT = "name fields in analytics(...), or mark the event type in the configuration at EVENT_CONFIG_URL"
"""What to do with a rule that marks nothing."""

Columns = Mapping[str, str]
"""The names under which fields are kept, by the ids of the fields."""


@dataclass(frozen=True)
class Marking:
    """What is kept of an event type. `computing` makes figures of the country's own."""

    declaration: Columns
    annotation: Columns
    computing: Computing | None = None


class MarkingUnavailable(Exception):
    """It is not known what may be kept, so that nothing can be written. The message says why."""


class Markings(Protocol):
    """Where it is known what may be kept."""

    def of(self, event_type: str) -> Marking | None:
        """None where the event type is not marked. Raises MarkingUnavailable."""

    def may_concern(self, event_type: str) -> bool:
        """False where it is known without asking anybody that nothing of it is kept."""

    def event_types(self) -> set[str]:
        """All that are marked. Raises MarkingUnavailable."""


@dataclass(frozen=True)
class MarkingsOfCountry:
    """The country's rules; for what they do not say, the event configurations, where there are any.

    `timeout` is what a function for figures may take, in seconds.
    """

    country: Country
    configured: Callable[[], Mapping[str, Marking]] | None = None
    timeout: float = 5.0

    @cached_property
    def _computing(self) -> Mapping[str, Computing]:
        return {
            event_type: Computing(rule.computed, self.timeout)
            for event_type, rule in self.country.analytics.items()
            if rule.computed is not None
        }

    def of(self, event_type: str) -> Marking | None:
        """See Markings."""
        rule = self.country.analytics.get(event_type)
        if rule is not None and rule.fields is not None:
            columns = columns_of(rule.fields)
            return Marking(columns, columns, self._computing.get(event_type))
        configured = self.configured().get(event_type) if self.configured is not None else None
        return replace(configured, computing=self._computing.get(event_type)) if configured is not None else None

    def event_types(self) -> set[str]:
        """See Markings."""
        by_rule = {event_type for event_type, rule in self.country.analytics.items() if rule.fields is not None}
        return by_rule | (set(self.configured()) if self.configured is not None else set())

    def may_concern(self, event_type: str) -> bool:
        """See Markings."""
        rule = self.country.analytics.get(event_type)
        return self.configured is not None or (rule is not None and rule.fields is not None)


def column_of(field_id: str) -> str:
    """`child.dob` is kept as `child_dob`."""
    return field_id.replace(".", "_")


def columns_of(field_ids: Iterator[str] | frozenset[str]) -> Columns:
    """By the ids of the fields, in one order."""
    return {field_id: column_of(field_id) for field_id in sorted(field_ids)}


def markings_in(configurations: Iterable[Mapping[str, Any]]) -> dict[str, Marking]:
    """What event configurations mark, by event type: `[{id, analytics, declaration, actions}]`.

    A field is whatever has an `id` and says `"analytics": true`, at any depth: forms nest it in pages, reviews and
    dialogs.
    """
    return {
        configuration["id"]: Marking(
            columns_of(_marked_in(configuration.get("declaration"))),
            columns_of(_marked_in(configuration.get("actions"))),
        )
        for configuration in configurations
        if configuration.get("analytics") is True
    }


def _marked_in(form: Any) -> Iterator[str]:
    open_parts = [form]
    while open_parts:
        part = open_parts.pop()
        if isinstance(part, list):
            open_parts += part
        elif isinstance(part, dict):
            if part.get("analytics") is True and isinstance(part.get("id"), str):
                yield part["id"]
            open_parts += part.values()
