"""Core's own verdict on event documents, and ours."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.records.actions import FORMS
from app.records.schema import EventDocument, InvalidDocument, event_document
from tests.records.documents import ABSENT, EVENTS, action, document, lines, paths, uuid


def event_cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{number} {case['path'].rpartition('/')[2]}: {case['note']}")
        for number, case in enumerate(lines("payload-cases.jsonl"), start=1)
        if "/events/" in case["path"]
    ]


def test_there_are_cases_of_events() -> None:
    assert len(event_cases()) == 75


@pytest.mark.parametrize("case", event_cases())
def test_we_judge_as_core_does(case: dict[str, Any]) -> None:
    found = paths(case["payload"])
    assert (not found, found[:1]) == (case["valid"], [] if case["valid"] else [case["firstPath"]])


@pytest.mark.parametrize("payload", EVENTS, ids=lambda event: event["trackingId"])
def test_what_core_generates_is_valid_and_kept_as_it_is(payload: dict[str, Any]) -> None:
    read = event_document(copy.deepcopy(payload))
    assert isinstance(read, EventDocument)
    assert (read.id, read.type, read.tracking_id) == (payload["id"], payload["type"], payload["trackingId"])
    assert (read.created_at, read.updated_at) == (payload["createdAt"], payload["updatedAt"])
    assert len(read.actions) == len(payload["actions"])
    for ours, theirs in zip(read.actions, payload["actions"], strict=True):
        assert (ours.id, ours.type, ours.status) == (theirs["id"], theirs["type"], theirs["status"])
        assert ours.transaction_id == theirs["transactionId"]
        assert (ours.created_at, ours.created_by) == (theirs["createdAt"], theirs["createdBy"])
        assert (ours.created_by_role, ours.created_by_user_type) == (
            theirs["createdByRole"],
            theirs["createdByUserType"],
        )
        assert ours.created_at_location == theirs.get("createdAtLocation")
        assert ours.original_action_id == theirs.get("originalActionId")
        assert ours.declaration == theirs.get("declaration", {})
        if "declaration" in theirs:
            assert ours.annotation == theirs.get("annotation")
            assert ours.content == theirs.get("content")
            assert ours.request_id == theirs.get("requestId")
            assert ours.assigned_to == theirs.get("assignedTo")
            assert ours.registration_number == theirs.get("registrationNumber")
            assert ours.custom_action_type == theirs.get("customActionType")


class TestEnvelope:
    """The six keys around the actions."""

    @pytest.mark.parametrize("payload", [None, True, 0, 1.5, "", "birth", [], [{}]], ids=repr)
    def test_no_object_is_a_problem_of_the_document_itself(self, payload: Any) -> None:
        assert paths(payload) == [[]]

    def test_all_that_is_missing_is_said_in_cores_order(self) -> None:
        assert paths({}) == [["id"], ["type"], ["createdAt"], ["updatedAt"], ["trackingId"], ["actions"]]

    def test_problems_of_actions_come_after_those_of_the_envelope(self) -> None:
        found = paths(document(action(id="x"), action(), 5, updatedAt="now"))
        assert found == [["updatedAt"], ["actions", 0, "id"], ["actions", 2]]

    @pytest.mark.parametrize("key", ["id", "type", "createdAt", "updatedAt", "trackingId", "actions"])
    @pytest.mark.parametrize("value", [None, True, 0, 2026.0, {}, ABSENT], ids=repr)
    def test_a_wrong_type_is_told_at_its_key(self, key: str, value: Any) -> None:
        assert paths(document(**{key: value})) == [[key]]

    @pytest.mark.parametrize("key", ["id", "createdAt", "updatedAt"])
    def test_a_wrong_format_is_told_at_its_key(self, key: str) -> None:
        assert paths(document(**{key: "x"})) == [[key]]

    def test_texts_may_be_empty_and_unknown_keys_are_ignored(self) -> None:
        assert paths(document(type="", trackingId="", dateOfEvent=5, **{"\ud800": {}})) == []

    def test_a_document_may_have_no_actions(self) -> None:
        assert event_document(document()).actions == ()

    def test_the_error_names_the_first_problem_and_counts_the_others(self) -> None:
        with pytest.raises(InvalidDocument, match=r"^actions\.0\.id: Not a valid UUID \(and 1 more\)$"):
            event_document(document(action(id="x", createdAt="now")))

    def test_of_many_problems_the_first_are_told(self) -> None:
        told = paths(document(*[5] * 1000))
        assert told == [["actions", position] for position in range(20)]

    def test_of_many_problems_in_one_action_the_first_are_told(self) -> None:
        duplicates = [{"id": "x", "trackingId": ""}] * 1000
        told = paths(document(action("DUPLICATE_DETECTED", id="x", content={"duplicates": duplicates})))
        assert told[:2] == [["actions", 0, "id"], ["actions", 0, "content", "duplicates", 0, "id"]]
        assert len(told) == 20


any_text = st.text(st.characters(exclude_categories=()), max_size=5)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=6,
)
values = json_values | st.sampled_from(["Requested", "Accepted", "Rejected", "", uuid(1), "2026-01-01T00:00Z"])
keys = st.sampled_from(
    ["id", "type", "createdAt", "createdByRole", "declaration", "annotation", "status", "content", "requestId"]
) | any_text  # fmt: skip
actions = st.builds(
    lambda type_, status, changes: action(type_, status=status) | changes,
    st.sampled_from(sorted(FORMS)),
    st.sampled_from(["Requested", "Accepted", "Rejected"]),
    st.dictionaries(keys, values, max_size=2),
)


@given(json_values | st.builds(document, actions, json_values) | st.builds(document, actions, actions))
@settings(max_examples=400, deadline=None)
def test_no_json_value_makes_it_fail_otherwise(payload: Any) -> None:
    before = repr(payload)
    for path in paths(payload):
        assert all(isinstance(step, str | int) for step in path)
    assert repr(payload) == before
