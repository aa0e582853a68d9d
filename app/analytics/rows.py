"""From an event document to its rows: one for each accepted action (section 6 of the contract).

Pure. The cost grows with the number of actions, since each state follows from the one before it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from typing import Any

from msgspec.structs import replace

from app.analytics.json_text import Unfit, json_text
from app.analytics.marking import Columns, Marking, column_of
from app.cleaning import clean
from app.country import place_of
from app.records.actions import Action
from app.records.schema import EventDocument
from app.records.state import Declaration, merge, states

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

_NEVER = "~"  # as a text, later than any date-time
_LONGEST_NUMBER = 600  # characters; PostgreSQL's index takes 2,700 bytes


@dataclass(frozen=True)
class EventRows:
    """All rows of an event, made when they are asked for. `numbers` are those in the rows."""

    event_id: str
    version: Version
    numbers: tuple[str, ...]
    make: Callable[[], tuple[Row, ...]]

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """All values are texts that both databases take. Raises Unfit where the document holds others."""
        return self.make()


def event_rows(document: EventDocument, marking: Marking) -> EventRows:
    """A country's function is called at once; Unfit is raised where it cannot compute."""
    accepted = (action for action in document.actions if action.status == "Accepted")
    numbers = tuple(dict.fromkeys(number for action in accepted if (number := _number(action)) is not None))
    version = (_comparable(document.updated_at), len(document.actions))
    made = EventRows(document.id.lower(), version, numbers, partial(_rows, document, marking))
    if marking.computed is not None:
        made.rows  # noqa: B018  never while a database waits: nobody knows how long it takes
    return made


def _rows(document: EventDocument, marking: Marking) -> tuple[Row, ...]:
    try:
        return _made(document, marking)
    except RecursionError:
        raise Unfit("a value that is nested too deeply") from None


def _made(document: EventDocument, marking: Marking) -> tuple[Row, ...]:
    if marking.computed is None:
        document = _with_marked_fields(document, marking.declaration)
    declared_at, registered_at = _first(document, "DECLARE"), _first(document, "REGISTER")
    requested = {action.id: action for action in document.actions if action.status == "Requested"}
    event_type, event_id = _clean(document.type), document.id.lower()
    rows: dict[str, Row] = {}
    numbers: set[str] = set()
    kept_of: Declaration | None = None
    kept, kept_text = {}, "{}"
    for action, state in _states_in_order(document):
        if state is not kept_of:
            kept_of, kept = state, _kept(state, marking.declaration)
            kept_text = json_text(kept)
        figures = _figures(action, state, marking)
        number = _number(action)
        if number is not None and number in numbers:
            number = None  # it can be in the table once
        if number is not None:
            numbers.add(number)
        action_id = action.id.lower()
        content = action.content
        rows.setdefault(
            action_id,
            (
                event_type,
                action.type,
                _clean(action.custom_action_type),
                _annotation(action, requested, marking.annotation),
                _clean(action.assigned_to),
                moment(action.created_at),
                action.created_at_location,
                _clean(action.created_by),
                _clean(action.created_by_role),
                _clean(action.created_by_signature),
                action.created_by_user_type,
                declared_at,
                registered_at,
                json_text({**kept, **figures}) if figures else kept_text,
                event_id,
                action_id,
                None if action.original_action_id is None else action.original_action_id.lower(),
                number,
                _clean(action.request_id),
                action.status,
                _clean(action.transaction_id),
                None if content is None else json_text(_without_nulls(content)),
            ),
        )
    return tuple(rows.values())


def _with_marked_fields(document: EventDocument, columns: Columns) -> EventDocument:
    """Declarations are merged field by field, so that those which are not kept need not be merged at all."""
    actions = tuple(
        replace(action, declaration={field: declared[field] for field in columns if field in declared})
        if (declared := action.declaration)
        else action
        for action in document.actions
    )
    return replace(document, actions=actions)


def rows_if_accepted(
    document: EventDocument, pending: Action, answer: Mapping[str, Any], marking: Marking
) -> EventRows:
    """The rows as they will be once core has taken the answer; until then the pending action is the accepted one.

    They count one action more than the document: they are newer than it, and core's own, which has that many, takes
    their place. Raises Unfit.
    """
    changes: dict[str, Any] = {
        "status": "Accepted",
        "declaration": merge(pending.declaration, answer.get("declaration") or {}),
        "annotation": merge(pending.annotation or {}, answer.get("annotation") or {}) or None,
    }
    if pending.type == "REGISTER" and "registrationNumber" in answer:
        changes["registration_number"] = answer["registrationNumber"]
    now_accepted = replace(pending, **changes)
    actions = tuple(now_accepted if action is pending else action for action in document.actions)
    rows = event_rows(replace(document, actions=actions), marking)
    updated_at, count = rows.version
    return dataclasses.replace(rows, version=(updated_at, count + 1))


def moment(text: str) -> str:
    """A date-time of core's, in a form that both databases take and order. Raises Unfit for the year 0."""
    if text.startswith("0000"):
        raise Unfit("a date in the year 0000")
    return text if len(text) == len("2026-01-31T09:30:00.000Z") else f"{_comparable(text)}Z"


def _comparable(text: str) -> str:
    """As 2026-01-31T09:30:00.000000: core may leave out the seconds, and give any number of digits after them."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    if len(whole) == len("2026-01-31T09:30"):
        whole += ":00"
    return f"{whole}.{fraction[:6]:0<6}"


def _states_in_order(document: EventDocument) -> Iterator[tuple[Action, Declaration]]:
    """CREATE first, then by `created_at`."""
    by_time = list(states(document))
    in_order = sorted(by_time, key=lambda step: step[0].type != "CREATE")
    for position, (action, state) in enumerate(in_order):
        if action is by_time[position][0]:
            yield action, state
        else:  # a CREATE that is not the oldest: what is older than it has not happened yet where its row stands
            until_then = {id(step[0]) for step in in_order[: position + 1]}
            # Put off, not left out: a correction that is approved is found even where it was accepted later.
            actions = [
                replace(one, created_at=_NEVER) if one.status == "Accepted" and id(one) not in until_then else one
                for one in document.actions
            ]
            _, state_then = next(islice(states(replace(document, actions=tuple(actions))), position, None))
            yield action, state_then


def _first(document: EventDocument, kind: str) -> str | None:
    return next((moment(action.created_at) for action in document.actions if action.type == kind), None)


def _kept(values: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
    """What is marked, and is not null, under the names of its columns."""
    return {
        column: _without_nulls(value) if isinstance(value, dict | list) else value
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


def _figures(action: Action, state: Declaration, marking: Marking) -> dict[str, Any]:
    if marking.computed is None:
        return {}
    try:
        computed = marking.computed(action, state)
        return {column_of(field): _without_nulls(value) for field, value in computed.items() if value is not None}
    except Exception as error:
        raise Unfit(f"the analytics rule raised {type(error).__name__} at {place_of(error)}: mend rules.py") from error


def _number(action: Action) -> str | None:
    number = action.registration_number
    if number is not None and len(number) > _LONGEST_NUMBER:
        raise Unfit(f"a registration number of more than {_LONGEST_NUMBER} characters")
    return _clean(number)


def _without_nulls(value: Any) -> Any:
    """Objects without the keys that are null, at any depth; in arrays null stays, since it holds a place."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value]
    return value


def _clean(text: str | None) -> str | None:
    if text is None or (text.isascii() and "\0" not in text):
        return text
    return clean(text)
