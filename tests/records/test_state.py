"""The pending action and the state of a record, as core computes them, and against a model that is plain and slow."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.records.schema import event_document
from app.records.state import (
    NoPendingAction,
    SeveralPendingActions,
    aggregated_declaration,
    merge,
    merged_declaration,
    pending_action,
    states,
)
from tests.records.documents import ABSENT, EVENTS, STATES, action, document, nested, uuid
from tests.records.model import Json, model_merge, model_states

CORES = [pytest.param(*pair, id=pair[0]["trackingId"]) for pair in zip(EVENTS, STATES, strict=True)]


@pytest.mark.parametrize(("event", "expected"), CORES)
def test_the_pending_action_and_both_declarations_are_cores(event: Json, expected: Json) -> None:
    read = event_document(event)
    pending = pending_action(read)
    assert (pending.id, pending.type) == (expected["pendingActionId"], expected["pendingType"])
    assert pending_action(read, pending.id) is pending
    assert aggregated_declaration(read) == expected["aggregated"]
    assert merged_declaration(read, pending) == expected["merged"]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["trackingId"])
def test_every_state_of_every_prefix_is_the_models(event: Json) -> None:
    for length in range(len(event["actions"]) + 1):
        agrees_with_the_model(event | {"actions": event["actions"][:length]})


def agrees_with_the_model(payload: Json) -> None:
    before = copy.deepcopy(payload)
    read = event_document(payload)
    kept = [(one, state, copy.deepcopy(state)) for one, state in states(read)]
    expected = model_states(before["actions"])
    assert [state for _, state, _ in kept] == expected
    assert [as_it_was for _, _, as_it_was in kept] == expected, "a state changed after it was given out"
    assert [one.created_at for one, _, _ in kept] == sorted(one.created_at for one, _, _ in kept)
    assert aggregated_declaration(read) == (expected[-1] if expected else {})
    assert payload == before


texts = st.sampled_from(["a", "b", "__proto__", "constructor"])
values = st.recursive(
    st.none() | st.integers(0, 3) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
declarations = st.dictionaries(texts, values, max_size=3)
TYPES = [
    "CREATE",
    "DECLARE",
    "EDIT",
    "REQUEST_CORRECTION",
    "APPROVE_CORRECTION",
    "PRINT_CERTIFICATE",
    "REJECT_CORRECTION",
]
TIMES = ["2026-01-01T00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z", "2025-12-31T00:00:00Z"]


@st.composite
def histories(draw: st.DrawFn) -> list[Json]:
    """Actions in any order, at few moments, that name each other, themselves, or nobody."""
    ids = st.sampled_from([uuid(number) for number in range(1, 8)])
    return [
        action(
            draw(st.sampled_from(TYPES)),
            id=draw(ids) if draw(st.integers(0, 9)) == 0 else uuid(number),
            status=draw(st.sampled_from(["Requested", "Accepted", "Accepted", "Rejected"])),
            createdAt=draw(st.sampled_from(TIMES)),
            originalActionId=draw(ids | st.none()),
            requestId=draw(ids | st.just("nobody")),
            declaration=draw(declarations),
        )
        for number in range(1, draw(st.integers(1, 8)))
    ]


@given(histories())
@settings(max_examples=300, deadline=None)
def test_any_history_agrees_with_the_model(history: list[Json]) -> None:
    agrees_with_the_model(document(*history))


class TestStates:
    """What a declaration becomes part of, and when."""

    def test_nothing_accepted_leaves_nothing(self) -> None:
        read = event_document(document(action(declaration={"a": 1}), action(declaration={"a": 1}, status="Rejected")))
        assert list(states(read)) == []
        assert aggregated_declaration(read) == {}

    def test_an_approved_correction_brings_what_was_asked_for(self) -> None:
        asked = action("REQUEST_CORRECTION", 1, declaration={"name": {"first": "Amina"}})
        taken = action("REQUEST_CORRECTION", 2, status="Accepted", originalActionId=uuid(1), declaration={"fee": 5})
        approved = action("APPROVE_CORRECTION", 3, status="Accepted", requestId=uuid(2), declaration={"stamp": "x"})
        read = event_document(document(asked, taken, approved))
        assert [state for _, state in states(read)] == [{}, {"name": {"first": "Amina"}, "fee": 5, "stamp": "x"}]

    @pytest.mark.parametrize("request_id", [uuid(1), uuid(7), ""])
    def test_an_approval_of_nothing_accepted_brings_nothing(self, request_id: str) -> None:
        asked = action("REQUEST_CORRECTION", 1, declaration={"a": 1})
        approved = action("APPROVE_CORRECTION", 3, status="Accepted", requestId=request_id, declaration={"b": 1})
        assert aggregated_declaration(event_document(document(asked, approved))) == {}

    def test_moments_are_compared_as_texts(self) -> None:
        later = action(number=1, status="Accepted", createdAt="2026-01-01T00:00:00Z", declaration={"a": "Z"})
        sooner = action(number=2, status="Accepted", createdAt="2026-01-01T00:00:00.9Z", declaration={"a": "."})
        assert aggregated_declaration(event_document(document(later, sooner))) == {"a": "Z"}

    def test_at_the_same_moment_the_documents_order_counts(self) -> None:
        first, second = (action(number=n, status="Accepted", declaration={"a": n}) for n in (1, 2))
        assert aggregated_declaration(event_document(document(first, second))) == {"a": 2}
        assert aggregated_declaration(event_document(document(second, first))) == {"a": 1}

    def test_of_two_actions_with_one_id_the_first_is_meant(self) -> None:
        twins = [action(number=1, declaration={"a": n}) for n in (1, 2)]
        taken = action(number=3, status="Accepted", originalActionId=uuid(1))
        assert aggregated_declaration(event_document(document(*twins, taken))) == {"a": 1}

    def test_what_does_not_change_is_shared_from_state_to_state(self) -> None:
        declared = action(number=1, status="Accepted", declaration={"father": {"name": {"first": "A"}}, "mother": {}})
        read_by = action("READ", 2, status="Accepted")
        edited = action("EDIT", 3, status="Accepted", declaration={"father": {"age": 40}})
        first, second, third = (state for _, state in states(event_document(document(declared, read_by, edited))))
        assert second is first
        assert third["mother"] is first["mother"]
        assert third["father"]["name"] is first["father"]["name"]
        assert "age" not in first["father"]


class TestPendingAction:
    """The one that core asks about."""

    def test_without_one_it_says_so(self) -> None:
        with pytest.raises(NoPendingAction):
            pending_action(event_document(document()))
        with pytest.raises(NoPendingAction):
            pending_action(event_document(document(action("CREATE", status="Accepted"))))

    @pytest.mark.parametrize("status", ["Accepted", "Rejected"])
    def test_an_answered_action_is_not_pending(self, status: str) -> None:
        answer = action(number=2, status=status, originalActionId=uuid(1))
        for actions in ([action(), answer], [answer, action()]):
            with pytest.raises(NoPendingAction):
                pending_action(event_document(document(*actions)))

    def test_a_rejection_in_the_short_form_answers_too(self) -> None:
        answer = action(number=2, status="Rejected", originalActionId=uuid(1), declaration=ABSENT)
        with pytest.raises(NoPendingAction):
            pending_action(event_document(document(action(), answer)))

    def test_another_request_answers_nothing(self) -> None:
        read = event_document(document(action(number=1), action(number=2, originalActionId=uuid(1))))
        with pytest.raises(SeveralPendingActions) as caught:
            pending_action(read)
        assert caught.value.ids == [uuid(1), uuid(2)]

    def test_of_several_the_named_one_is_meant(self) -> None:
        answer = action(number=4, status="Accepted", originalActionId=uuid(3))
        read = event_document(document(action(number=1), action("EDIT", 2), action(number=3), answer))
        assert pending_action(read, uuid(2)).type == "EDIT"
        for name in (uuid(3), uuid(4), uuid(9), ""):
            with pytest.raises(NoPendingAction):
                pending_action(read, name)

    def test_a_name_must_fit_even_if_only_one_is_pending(self) -> None:
        read = event_document(document(action(number=1)))
        assert pending_action(read, uuid(1)).id == uuid(1)
        with pytest.raises(NoPendingAction):
            pending_action(read, uuid(2))


class TestMerge:
    """Core's way of laying one object over another."""

    @pytest.mark.parametrize(
        ("base", "addition", "expected"),
        [
            ({}, {}, {}),
            ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
            ({"a": {"x": {"p": 1}}}, {"a": {"x": {"q": 2}, "y": 3}}, {"a": {"x": {"p": 1, "q": 2}, "y": 3}}),
            ({"a": {"x": 1}}, {"a": None}, {"a": None}),
            ({"a": None}, {"a": {"x": 1}}, {"a": {"x": 1}}),
            ({"a": "text"}, {"a": {}}, {"a": {}}),
            ({"a": {"x": 1}}, {"a": {}}, {"a": {"x": 1}}),
            ({"a": {"x": 1}}, {"a": "text"}, {"a": "text"}),
            ({"a": {"x": 1}}, {"a": [2]}, {"a": [2]}),
            ({"a": [1, 2, 3]}, {"a": [4]}, {"a": [4]}),
            ({"a": [1]}, {"a": {"x": 1}}, {"a": [1]}),
            ({"a": [1]}, {"a": {"0": 9}}, {"a": [1]}),
            ({"a": {"b": [{"x": 1}]}}, {"a": {"b": {"x": 1}}}, {"a": {"b": [{"x": 1}]}}),
            ({"a": [1]}, {"a": None}, {"a": None}),
            ({"a": 1}, {"a": False}, {"a": False}),
            ({"__proto__": {"x": 1}}, {"__proto__": {"y": 2}}, {"__proto__": {"x": 1, "y": 2}}),
        ],
    )
    def test_these(self, base: Json, addition: Json, expected: Json) -> None:
        assert merge(base, addition) == expected

    @given(declarations, declarations)
    def test_it_is_the_models_and_changes_neither_side(self, base: Json, addition: Json) -> None:
        before = copy.deepcopy((base, addition))
        assert merge(base, addition) == model_merge(base, addition)
        assert (base, addition) == before

    @given(declarations)
    def test_nothing_changes_nothing_and_the_same_again_changes_nothing(self, base: Json) -> None:
        assert merge(base, {}) == merge({}, base) == merge(base, base) == base
        assert merge(base, {}) is not base

    @given(declarations, declarations)
    def test_laid_on_twice_is_laid_on_once(self, base: Json, addition: Json) -> None:
        assert merge(merge(base, addition), addition) == merge(base, addition)

    def test_depth_is_no_limit(self) -> None:
        found: Any = merge(nested(100_000), merge(nested(50_000), {"b": 1}))
        assert found["b"] == 1
        depth = 0
        while "a" in found:
            found, depth = found["a"], depth + 1
        assert depth == 100_000


NEWER = "REVOKE_REGISTRATION"


@pytest.mark.parametrize("event", EVENTS[:20], ids=lambda event: event["trackingId"])
def test_actions_of_unknown_types_in_a_history_change_nothing(event: Json) -> None:
    plain = event_document(event)
    newer = [
        action(NEWER, 901, status="Requested", declaration={"a": 1}),
        action(NEWER, 902, status="Accepted", originalActionId=uuid(901), declaration={"a": 2}),
        action(NEWER, 903, status="Accepted", declaration={"child.name": None}),
    ]
    read = event_document(event | {"actions": [*newer, *event["actions"]]})
    assert [(one.id, state) for one, state in states(read)] == [(one.id, state) for one, state in states(plain)]
    assert aggregated_declaration(read) == aggregated_declaration(plain)
    assert pending_action(read) == pending_action(plain)


def test_an_action_of_an_unknown_type_can_be_pending_and_its_acceptance_answers_it() -> None:
    asked = action(NEWER, 1, declaration={"a": 1})
    assert pending_action(event_document(document(asked))).type == NEWER
    answered = action(NEWER, 2, status="Accepted", originalActionId=uuid(1))
    with pytest.raises(NoPendingAction):
        pending_action(event_document(document(asked, answered)))
