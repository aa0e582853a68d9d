"""From an event document to its rows: one for each accepted action (section 6 of the contract).

Pure. The cost grows with the number of actions, since each state follows from the one before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from math import isfinite
from typing import Any

from msgspec.structs import replace

from app.analytics.computing import Figures
from app.analytics.json_text import Unfit, json_text
from app.analytics.marking import Columns, Marking, MarkingUnavailable, column_of
from app.analytics.values import cleaned, comparable, moment, without_nulls
from app.records import validation
from app.records.actions import Action
from app.records.schema import EventDocument
from app.records.state import Declaration, merge, states
from app.timed_calls import TooManyHang

COLUMNS = (
    "event_type",
    "action_type",
    "custom_action_type",
    "annotation",
    "assigned_to",
    "created_at",
    "created_at_location",
    "created_by",
    "created_by_role",
    "created_by_signature",
    "created_by_user_type",
    "declared_at",
    "registered_at",
    "declaration",
    "event_id",
    "id",
    "original_action_id",
    "registration_number",
    "request_id",
    "status",
    "transaction_id",
    "content",
)
"""Of event_actions, in the order of a Row."""

Row = tuple[str | None, ...]
Version = tuple[str, int]
"""When the document was changed last, and how many actions it has: the greater one is the newer."""

_LONGEST_NUMBER = 600  # characters; PostgreSQL's index takes 2,700 bytes


@dataclass(frozen=True)
class EventRows:
    """All rows of an event, made when they are asked for. `numbers` are those in the rows.

    They are only expected where core has not said yet that it has the last action.
    """

    event_id: str
    version: Version
    numbers: tuple[str, ...]
    make: Callable[[], tuple[Row, ...]]
    is_expected: bool = False

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """All values are texts that both databases take. Raises Unfit where the document holds others."""
        return self.make()


def all_rows(documents: Sequence[EventDocument], marking: Marking) -> list[EventRows | Unfit]:
    """Of each document of one event type, with the country's figures; or why there are none.

    Raises MarkingUnavailable where the country's function hangs time and again.
    """
    figures: Sequence[Figures | Unfit] = [()] * len(documents)
    if marking.computing is not None:
        try:
            figures = marking.computing.figures(documents)
        except TooManyHang as hanging:
            raise MarkingUnavailable(f"the analytics rule: {hanging}") from None
    return [_event_rows(document, marking, own) for document, own in zip(documents, figures, strict=True)]


def event_rows(document: EventDocument, marking: Marking) -> EventRows:
    """Of one document. Raises Unfit and MarkingUnavailable."""
    (made,) = all_rows([document], marking)
    if isinstance(made, Unfit):
        raise made
    return made


def _event_rows(document: EventDocument, marking: Marking, figures: Figures | Unfit) -> EventRows | Unfit:
    if isinstance(figures, Unfit):
        return figures
    accepted = (action for action in document.actions if action.status == "Accepted")
    try:
        numbers = tuple(dict.fromkeys(number for action in accepted if (number := _number(action)) is not None))
    except Unfit as error:
        return error
    version = (comparable(document.updated_at), len(document.actions))
    return EventRows(document.id.lower(), version, numbers, partial(_rows, document, marking, figures))


def _rows(document: EventDocument, marking: Marking, figures: Figures) -> tuple[Row, ...]:
    try:
        return tuple(_made(_with_marked_fields(document, marking.declaration), marking, figures).values())
    except RecursionError:
        raise Unfit("a value that is nested too deeply") from None


def _made(document: EventDocument, marking: Marking, figures: Figures) -> dict[str, Row]:
    declared_at, registered_at = _first(document, "DECLARE"), _first(document, "REGISTER")
    requested = {action.id: action for action in document.actions if action.status == "Requested"}
    event_type, event_id = cleaned(document.type), document.id.lower()
    rows: dict[str, Row] = {}
    numbers: set[str] = set()
    kept_of: Declaration | None = None
    kept, kept_text = {}, "{}"
    figures_in_order = iter(figures)
    for action, state in states(document, create_first=True):
        computed = next(figures_in_order, None)
        action_id = action.id.lower()
        if action_id in rows:
            continue
        if state is not kept_of:
            kept_of, kept = state, _kept(state, marking.declaration)
            kept_text = json_text(kept)
        number = _number(action)
        if number is not None and number in numbers:
            number = None  # it can be in the table once
        if number is not None:
            numbers.add(number)
        content = validation.named_content(action)
        location = action.created_at_location
        rows[action_id] = (
            event_type,
            action.type,
            cleaned(action.custom_action_type),
            _annotation(action, requested, marking.annotation),
            cleaned(action.assigned_to),
            moment(action.created_at),
            None if location is None else location.lower(),
            cleaned(action.created_by),
            cleaned(action.created_by_role),
            cleaned(action.created_by_signature),
            action.created_by_user_type,
            declared_at,
            registered_at,
            json_text(kept | _columns_of(computed)) if computed else kept_text,
            event_id,
            action_id,
            None if action.original_action_id is None else action.original_action_id.lower(),
            number,
            cleaned(action.request_id),
            action.status,
            cleaned(action.transaction_id),
            None if content is None else json_text(content),
        )
    return rows


def _with_marked_fields(document: EventDocument, columns: Columns) -> EventDocument:
    """Declarations are merged field by field, so that those which are not kept need not be merged at all."""
    actions = tuple(
        replace(action, declaration={field: declared[field] for field in columns if field in declared})
        if (declared := action.declaration)
        else action
        for action in document.actions
    )
    return replace(document, actions=actions)


def _first(document: EventDocument, kind: str) -> str | None:
    return next((moment(action.created_at) for action in document.actions if action.type == kind), None)


def _kept(values: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
    """What is marked, and is not null, under the names of its columns."""
    return {
        column: without_nulls(value) if isinstance(value, dict | list) else value
        for field, value in values.items()
        if value is not None and (column := columns.get(field)) is not None
    }


def _annotation(action: Action, requested: Mapping[str, Action], columns: Columns) -> str | None:
    original = requested.get(action.original_action_id or "")
    asked = original.annotation if original is not None else None
    if asked is None and action.annotation is None:
        return None
    if not columns:
        return "{}"
    return json_text(_kept(merge(asked or {}, action.annotation or {}), columns))


def _columns_of(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Without what JSON has not."""
    return {
        column_of(name): without_nulls(value)
        for name, value in figures.items()
        if value is not None and not (isinstance(value, float) and not isfinite(value))
    }


def _number(action: Action) -> str | None:
    number = action.registration_number
    if number is not None and len(number) > _LONGEST_NUMBER:
        raise Unfit(f"a registration number of more than {_LONGEST_NUMBER} characters")
    return cleaned(number)
