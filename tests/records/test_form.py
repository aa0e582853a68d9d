"""Which additions core 2.1 takes, by the configuration of the event: its own tests, and its code, in our words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.records.form import EventForm, Part
from tests.records.configurations import BIRTH, birth, field, page, with_action
from tests.records.test_form_values import json_values

FORM = EventForm.of(BIRTH)
NO_ANNOTATION_CHECKED = ("EDIT", "ARCHIVE", "UNARCHIVE", "APPROVE_CORRECTION", "REJECT_CORRECTION")
CHECKED = ("NOTIFY", "DECLARE", "REGISTER", "REJECT", "PRINT_CERTIFICATE", "REQUEST_CORRECTION")


def refused(action_type: str, form: EventForm = FORM, *, custom: str | None = None, **added: Any) -> list[str]:
    """The ids of the fields that are refused."""
    declaration, annotation = added.get("declaration", {}), added.get("annotation")
    return [one.field for one in form.problems_of(action_type, declaration, annotation, custom)]


@pytest.mark.parametrize("action_type", [*CHECKED, *NO_ANNOTATION_CHECKED, "CUSTOM", "REVOKE_REGISTRATION"])
def test_a_declaration_is_held_against_the_form_for_every_action(action_type: str) -> None:
    added = {"child.dob": "2024-02-29", "cat": "kissa", "child.weight": "3 kg", "child.gender": "of no option"}
    assert refused(action_type, custom="VALIDATE", declaration=added) == ["cat", "child.weight"]


def test_what_is_wrong_is_told_with_its_part_and_without_the_value() -> None:
    problems = FORM.problems_of("DECLARE", {"cat": "kissa", "child.dob": 100}, {"dog": "koira"})
    assert [(one.part, one.field) for one in problems] == [
        (Part.DECLARATION, "cat"),
        (Part.DECLARATION, "child.dob"),
        (Part.ANNOTATION, "dog"),
    ]
    assert problems[0].message.startswith("is not a field of the declaration form: ")
    assert problems[1].message == "is not a valid value of a DATE field: use YYYY-MM-DD"
    assert not any(value in str(problems) for value in ("kissa", "koira", "100"))


def test_hidden_fields_validators_and_required_do_not_count() -> None:
    added = {"child.hidden": "x", "mother.email": None, "child.dob": "1999-01-01", "child.photo": ""}
    assert refused("REGISTER", declaration=added) == []


def test_an_id_with_dots_is_one_key() -> None:
    assert refused("REGISTER", declaration={"child": {"dob": "2024-02-29"}}) == ["child"]
    assert refused("REGISTER", declaration={"child.name.firstname": "Amina"}) == ["child.name.firstname"]


def test_a_name_is_given_whole() -> None:
    assert refused("REGISTER", declaration={"child.name": {"firstname": "Amina", "surname": ""}}) == []
    assert refused("REGISTER", declaration={"child.name": {"middlename": "Bwalya"}}) == ["child.name"]
    assert refused("REGISTER", declaration={"child.name": {"firstname": "", "surname": "Mwale"}}) == ["child.name"]


def test_of_two_fields_with_one_id_the_first_counts() -> None:
    assert refused("DECLARE", declaration={"mother.dob": "unknown"}) == []


@pytest.mark.parametrize(
    ("action_type", "custom", "known"),
    [
        ("DECLARE", None, ["review.comment", "declare.note"]),
        ("NOTIFY", None, ["notify.note", "review.comment", "declare.note"]),
        ("REGISTER", None, ["register.note"]),
        ("REJECT", None, []),
        ("PRINT_CERTIFICATE", None, ["collector.requester"]),
        ("REQUEST_CORRECTION", None, ["correction.reason"]),
        ("CUSTOM", "VALIDATE", ["validate.note"]),
        ("CUSTOM", "SEAL", []),
    ],
)
def test_an_annotation_is_held_against_the_forms_of_its_action(
    action_type: str, custom: str | None, known: list[str]
) -> None:
    names = [
        *("review.comment", "declare.note", "notify.note", "register.note", "collector.requester"),
        *("correction.reason", "validate.note", "read.only", "child.dob"),
    ]
    found = refused(action_type, custom=custom, annotation=dict.fromkeys(names, "x"))
    assert set(names) - set(found) == set(known)
    assert refused(action_type, custom=custom, annotation=dict.fromkeys(known, 3)) == known


@pytest.mark.parametrize("action_type", NO_ANNOTATION_CHECKED)
def test_the_annotation_of_some_actions_is_not_checked(action_type: str) -> None:
    assert refused(action_type, EventForm.of(with_action(action_type)), annotation={"dog": "koira"}) == []


@pytest.mark.parametrize("action_type", NO_ANNOTATION_CHECKED)
def test_where_such_an_action_has_a_dialog_it_is(action_type: str) -> None:
    form = EventForm.of(with_action(action_type, form=[field("dialog.reason", "TEXT")]))
    assert refused(action_type, form, annotation={"dog": "koira", "dialog.reason": "x"}) == ["dog"]


def test_the_annotation_of_an_action_that_is_not_configured_is_not_checked() -> None:
    form = EventForm.of(birth(actions=[]))
    for action_type in CHECKED:
        assert refused(action_type, form, annotation={"dog": "koira"}) == []
    assert refused("CUSTOM", custom="UNKNOWN", annotation={"dog": "koira"}) == []


@pytest.mark.parametrize(("value", "is_taken"), [(True, True), (False, True), ("yes", False), (None, False)])
def test_a_verification_page_is_answered_with_true_or_false(value: Any, is_taken: bool) -> None:
    assert (refused("PRINT_CERTIFICATE", annotation={"collector.identity": value}) == []) is is_taken


def test_a_declaration_form_may_stand_in_the_declare_action() -> None:
    configuration = birth()
    pages = configuration.pop("declaration")
    declare = next(one for one in configuration["actions"] if one["type"] == "DECLARE")
    declare["declaration"] = pages
    form = EventForm.of(configuration)
    assert refused("REGISTER", form, declaration={"child.dob": "2024-02-29", "cat": 1}) == ["cat"]


def test_a_notification_may_have_a_form_of_its_own() -> None:
    form = EventForm.of(with_action("NOTIFY", notificationForm={"pages": [page("n", field("notify.dob", "DATE"))]}))
    added = {"notify.dob": "2024-02-29", "child.dob": "2024-02-29", "cat": 1}
    assert refused("NOTIFY", form, declaration=added) == ["cat"]
    assert refused("DECLARE", form, declaration=added) == ["notify.dob", "cat"]


def test_without_a_declaration_form_nothing_is_known_of_it() -> None:
    form = EventForm.of({"id": "birth", "actions": [{"type": "DECLARE", "forms": []}]})
    assert refused("DECLARE", form, declaration={"cat": "kissa"}) == []


def test_nothing_added_is_no_problem() -> None:
    assert FORM.problems_of("REGISTER", {}, None) == []


@given(json_values, json_values, st.dictionaries(st.text(), json_values, max_size=3))
def test_any_json_is_read_and_judged(pages: Any, actions: Any, added: dict[str, Any]) -> None:
    for configuration in (
        {"declaration": pages, "actions": actions},
        {
            "declaration": {"pages": [pages, {"fields": actions}]},
            "actions": [actions, {"type": "DECLARE", "form": pages}],
        },
        {"actions": [{"type": "CUSTOM", "customActionType": actions, "printForm": {"pages": [pages]}}]},
    ):
        form = EventForm.of(configuration)
        assert isinstance(form.field_ids, frozenset)
        for action_type in ("DECLARE", "NOTIFY", "CUSTOM"):
            form.problems_of(action_type, added, added, "VALIDATE")


@given(st.dictionaries(st.sampled_from(sorted(FORM.field_ids)) | st.text(), json_values, max_size=5))
def test_what_is_reported_is_what_was_added(added: dict[str, Any]) -> None:
    problems = FORM.problems_of("DECLARE", added, added)
    assert {one.field for one in problems} <= added.keys()
    assert all(one.field in FORM.field_ids or "not a field" in one.message for one in problems)
