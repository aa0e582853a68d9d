"""The rows of an event, against a plain model and by cases."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.analytics.accepting import rows_if_accepted
from app.analytics.computing import Computing
from app.analytics.json_text import Unfit
from app.analytics.marking import Marking, columns_of
from app.analytics.rows import COLUMNS, EventRows, event_rows
from app.country import birth_figures
from app.records.actions import Action
from app.records.schema import event_document
from app.records.state import pending_action
from tests.analytics.model import model_rows
from tests.records.documents import EVENTS, STATES, action, document, nested, uuid

Json = dict[str, Any]

FIELDS = sorted({field for event in EVENTS for one in event["actions"] for field in one.get("declaration", {})})
NOTES = sorted({field for event in EVENTS for one in event["actions"] for field in one.get("annotation") or {}})
SOME = {field for field in FIELDS if not field.startswith(("informant.", "mother."))}
JSON_COLUMNS = ("declaration", "annotation", "content")


def marking(*fields: str, notes: tuple[str, ...] = ()) -> Marking:
    return Marking(columns_of(frozenset(fields)), columns_of(frozenset(notes)))


def as_json(made: EventRows) -> list[Json]:
    rows: list[Json] = [dict(zip(COLUMNS, row, strict=True)) for row in made.rows]
    return [
        row | {column: json.loads(row[column]) for column in JSON_COLUMNS if row[column] is not None} for row in rows
    ]


def rows_of(event: Json, *fields: str, notes: tuple[str, ...] = ()) -> list[Json]:
    return as_json(event_rows(event_document(event), marking(*fields, notes=notes)))


def accepted(type_: str = "DECLARE", number: int = 1, minute: int = 0, **changes: Any) -> Json:
    return action(type_, number, status="Accepted", createdAt=f"2026-01-01T00:{minute:02}:00.000Z", **changes)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["trackingId"])
def test_rows_are_those_of_the_model_at_every_prefix(event: Json) -> None:
    for count in range(len(event["actions"]) + 1):
        then = event | {"actions": event["actions"][:count]}
        assert rows_of(then, *SOME, notes=tuple(NOTES)) == model_rows(then, SOME, set(NOTES))


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('ab\\"\t\né'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
declarations = st.dictionaries(st.sampled_from(["a.b", "c", "d.e.f", "kept.not"]), values, max_size=4)
steps = st.tuples(
    st.sampled_from(["CREATE", "DECLARE", "EDIT", "REGISTER", "REQUEST_CORRECTION", "APPROVE_CORRECTION", "NOTIFY"]),
    st.sampled_from(["Requested", "Accepted", "Rejected"]),
    st.integers(0, 59),
    declarations,
    st.none() | declarations,
    st.none() | st.integers(1, 8),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=8))
@example(
    [  # a correction that is approved before it was accepted, and all of it before the record was made
        ("APPROVE_CORRECTION", "Accepted", 0, {"a.b": []}, None, 3),
        ("CREATE", "Accepted", 0, {}, None, None),
        ("REQUEST_CORRECTION", "Accepted", 0, {}, None, None),
    ]
)
def test_rows_of_any_history_are_those_of_the_model(history: list[Any]) -> None:
    actions = []
    for number, (kind, status, minute, declaration, annotation, original) in enumerate(history, 1):
        fields: Json = {"declaration": declaration, "annotation": annotation, "status": status}
        fields["createdAt"] = f"2026-01-01T00:{minute:02}:00.000Z"
        if original is not None:
            fields["originalActionId"] = uuid(original)
        if kind == "APPROVE_CORRECTION":
            fields["requestId"] = uuid(original or 1)
        actions.append(action(kind, number, **fields))
    event = document(*actions)
    kept = {"a.b", "c", "d.e.f"}
    assert rows_of(event, *kept, notes=("c",)) == model_rows(event, kept, {"c"})


def test_nothing_that_is_not_marked_leaves_the_record() -> None:
    for event in EVENTS:
        text = json.dumps(rows_of(event, "child.dob", "applicant.dob"), ensure_ascii=False)
        marked = {"child.dob", "applicant.dob"}
        for one in event["actions"]:
            for part in (one.get("declaration") or {}, one.get("annotation") or {}):
                for field, value in part.items():
                    for secret in texts(value) if field not in marked else ():
                        assert f'"{secret}"' not in text, f"{field} is in the rows"


def texts(value: Any) -> list[str]:
    """All that a person could be known by: not the words that also name types and statuses."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [value] if isinstance(value, str) and value and not value.isupper() else []


def test_a_pending_action_is_written_as_accepted_with_its_answer() -> None:
    event = document(
        accepted("CREATE", 1),
        action("REGISTER", 2, declaration={"child.dob": "2026-01-01"}, annotation={"seen": "by me"}),
    )
    read = event_document(event)
    answer = {"registrationNumber": "B-1", "declaration": {"child.checked": True}, "annotation": {"by": "rule"}}
    kept = marking("child.dob", "child.checked", notes=("seen", "by"))
    made = rows_if_accepted(read, pending_action(read), answer, kept)
    row = as_json(made)[-1]
    assert (row["id"], row["status"], row["registration_number"]) == (uuid(2), "Accepted", "B-1")
    assert row["declaration"] == {"child_dob": "2026-01-01", "child_checked": True}
    assert row["annotation"] == {"seen": "by me", "by": "rule"}
    assert made.version > event_rows(read, kept).version


def test_every_pending_action_of_the_contract_makes_a_row_of_its_own() -> None:
    for event, state in zip(EVENTS, STATES, strict=True):
        read = event_document(event)
        pending = pending_action(read, state["pendingActionId"])
        rows = as_json(rows_if_accepted(read, pending, {"registrationNumber": "X"}, marking(*FIELDS)))
        assert [row["id"] for row in rows].count(pending.id.lower()) == 1
        assert len(rows) == len(rows_of(event)) + 1


def test_figures_are_computed_after_each_action() -> None:
    event = document(
        accepted("CREATE", 1),
        action(
            "DECLARE",
            2,
            status="Accepted",
            createdAt="2026-02-01T00:00:00.000Z",
            declaration={"child.dob": "2026-01-02", "child.birthLocation.privateHome": {"country": "FAR"}},
        ),
    )
    kept = Marking({}, {}, Computing(birth_figures, 5))
    first, second = as_json(event_rows(event_document(event), kept))
    assert first["declaration"] == {}
    assert second["declaration"] == {"child_age_days": 30, "child_countryPlaceOfBirth": "FAR"}


@pytest.mark.parametrize("dob", ["soon", None, 5, {"day": 1}, "2026-13-01", ""])
def test_figures_of_what_is_no_date_are_left_out(dob: Any) -> None:
    event = document(accepted("DECLARE", declaration={"child.dob": dob}))
    (row,) = as_json(event_rows(event_document(event), Marking({}, {}, Computing(birth_figures, 5))))
    assert row["declaration"] == {}


def crash(_action: Action, _declaration: Mapping[str, Any]) -> Mapping[str, Any]:
    raise KeyError("Amina")


def test_a_function_that_fails_is_said_without_what_it_said() -> None:
    with pytest.raises(Unfit, match="KeyError") as caught:
        event_rows(event_document(document(accepted())), Marking({}, {}, Computing(crash, 5)))
    assert "Amina" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "content", "kept"),
    [
        ("REJECT", {"reason": "a date is missing", "note": "Amina"}, {"reason": "a date is missing"}),
        ("EDIT", {"by": "Amina"}, {}),
        ("PRINT_CERTIFICATE", {"templateId": "v1", "collector": {"name": "Amina"}}, {"templateId": "v1"}),
        (
            "DUPLICATE_DETECTED",
            {"duplicates": [{"id": uuid(7), "trackingId": "ABC123", "name": "Amina"}]},
            {"duplicates": [{"id": uuid(7), "trackingId": "ABC123"}]},
        ),
        ("APPROVE_CORRECTION", {"requested by": "Amina"}, None),
    ],
)
def test_of_what_an_action_says_beside_its_declaration_only_what_is_known_is_kept(
    kind: str, content: Json, kept: Json | None
) -> None:
    own: Json = {"requestId": uuid(9)} if kind == "APPROVE_CORRECTION" else {}
    (row,) = rows_of(document(accepted(kind, content=content, **own)))
    assert row["content"] == kept


def test_text_that_databases_refuse_is_cleaned() -> None:
    event = document(accepted(declaration={"a": "x\0y\ud800", "b": {"\0k": ["\0"]}}, createdBy="am\0ina\ud800"))
    (row,) = rows_of(event, "a", "b")
    assert row["declaration"] == {"a": "xy�", "b": {"k": [""]}}
    assert row["created_by"] == "amina�"


@pytest.mark.parametrize(
    "changes",
    [
        {"createdAt": "0000-01-01T00:00:00.000Z"},
        {"declaration": {"a": nested(700)}},
        {"type": "REGISTER", "registrationNumber": "9" * 5000},
    ],
    ids=["the year 0", "too deep", "a number that no index takes"],
)
def test_what_no_database_takes_is_said(changes: Json) -> None:
    event = document(accepted() | changes)
    with pytest.raises(Unfit):
        rows_of(event, "a")


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ({"updatedAt": "2026-01-01T00:00Z"}, {"updatedAt": "2026-01-01T00:00:00.5Z"}),
        ({"updatedAt": "2026-01-01T00:00:00.9Z"}, {"updatedAt": "2026-01-01T00:00:01Z"}),
        (
            {"updatedAt": "2026-01-01T00:00:00.12Z"},
            {"updatedAt": "2026-01-01T00:00:00.1200001Z", "actions": [accepted()]},
        ),
    ],
)
def test_versions_are_compared_as_times_and_then_by_actions(older: Json, newer: Json) -> None:
    before, after = (event_rows(event_document(document() | changes), marking()) for changes in (older, newer))
    assert before.version < after.version


def test_an_action_or_a_number_that_stands_twice_makes_one() -> None:
    event = document(
        accepted("REGISTER", 1, 1, registrationNumber="B-1"),
        accepted("REGISTER", 2, 2, registrationNumber="B-1"),
        accepted("READ", 2, 3),
    )
    made = event_rows(event_document(event), marking())
    assert [row["registration_number"] for row in as_json(made)] == ["B-1", None]
    assert made.numbers == ("B-1",)
