"""What core demands of an action, by its type and status."""

from __future__ import annotations

from typing import Any

import pytest

from app.records.actions import CONFIRMABLE, FORMS
from app.records.schema import InvalidDocument, event_document
from tests.records.documents import ABSENT, OWN_FIELDS, ProblemPath, action, document, nested, paths, uuid

AT_THE_ACTION: ProblemPath = ["actions", 0]


def of_action(*args: Any, **changes: Any) -> list[ProblemPath]:
    """Where the problems are of a document with one action."""
    return paths(document(action(*args, **changes)))


class TestActions:
    """What all actions have in common."""

    @pytest.mark.parametrize("value", [None, True, 0, "DECLARE", [], [action()]], ids=repr)
    def test_no_object_is_no_action(self, value: Any) -> None:
        assert paths(document(value)) == [AT_THE_ACTION]

    @pytest.mark.parametrize(
        "type_", [None, True, 0, [], {}, "", "declare", "DECLARE\n", "\ud800", "1A", "A" * 65, ABSENT], ids=repr
    )
    def test_what_cannot_be_a_type_is_refused(self, type_: Any) -> None:
        assert of_action(type=type_) == [AT_THE_ACTION]

    @pytest.mark.parametrize(
        "key", ["id", "transactionId", "createdByUserType", "createdAt", "createdBy", "declaration", "status"]
    )
    @pytest.mark.parametrize("value", [None, True, 0, 1.0, [], ABSENT], ids=repr)
    def test_what_is_required_must_be_there_and_of_its_type(self, key: str, value: Any) -> None:
        assert of_action(**{key: value}) == [AT_THE_ACTION]

    @pytest.mark.parametrize("key", ["createdBySignature", "createdAtLocation", "annotation", "originalActionId"])
    def test_these_may_be_absent_and_may_be_null(self, key: str) -> None:
        assert of_action(**{key: ABSENT}) == []
        assert of_action(**{key: None}) == []

    @pytest.mark.parametrize("key", ["createdBySignature", "createdAtLocation", "annotation", "originalActionId"])
    @pytest.mark.parametrize("value", [True, 0, 1.5, []], ids=repr)
    def test_but_not_of_another_type(self, key: str, value: Any) -> None:
        assert of_action(**{key: value}) == [AT_THE_ACTION]

    def test_the_role_may_be_absent_and_never_null(self) -> None:
        assert of_action(createdByRole=ABSENT) == []
        assert of_action(createdByRole="") == []
        assert of_action(createdByRole=None) == [AT_THE_ACTION]

    @pytest.mark.parametrize("key", ["status", "createdByUserType"])
    @pytest.mark.parametrize(
        "value", ["", "requested", "User", "\ud800", "x" * 100_000], ids=lambda value: ascii(value[:9])
    )
    def test_status_and_user_type_are_one_of_a_few_words(self, key: str, value: str) -> None:
        assert of_action(**{key: value}) == [AT_THE_ACTION]

    @pytest.mark.parametrize("key", ["id", "type", "status", "createdByUserType", "createdAt", "declaration"])
    def test_a_message_never_repeats_the_value(self, key: str) -> None:
        changes: dict[str, Any] = {key: "secret"}
        with pytest.raises(InvalidDocument) as caught:
            event_document(document(action(**changes)))
        assert "secret" not in f"{caught.value} {caught.value.problems}"

    @pytest.mark.parametrize("key", ["id", "createdAt", "createdAtLocation", "originalActionId"])
    def test_a_wrong_format_is_told_at_its_own_key(self, key: str) -> None:
        assert of_action(**{key: "x"}) == [[*AT_THE_ACTION, key]]

    def test_several_wrong_formats_are_told_in_cores_order(self) -> None:
        found = of_action(
            "REJECT", content={"reason": ""}, originalActionId="", createdAtLocation="", createdAt="", id=""
        )
        keys: list[ProblemPath] = [
            ["id"],
            ["createdAt"],
            ["createdAtLocation"],
            ["originalActionId"],
            ["content", "reason"],
        ]
        assert found == [[*AT_THE_ACTION, *key] for key in keys]

    def test_a_wrong_format_beside_anything_worse_is_told_at_the_action(self) -> None:
        assert of_action(id="x", createdBy=5) == [AT_THE_ACTION]
        assert of_action(id="x", createdByRole=None) == [AT_THE_ACTION]
        assert of_action("REJECT", id="x", content={}) == [AT_THE_ACTION]

    @pytest.mark.parametrize("value", [None, True, 5, 1.5, "", [], {}, {"a": [{"b": None}]}], ids=repr)
    def test_a_value_of_a_declaration_is_anything(self, value: Any) -> None:
        read = event_document(document(action(declaration={"child.name": value}, annotation={"note": value})))
        assert read.actions[0].declaration == {"child.name": value}
        assert read.actions[0].annotation == {"note": value}

    def test_strings_may_hold_nul_and_lone_surrogates(self) -> None:
        odd = "\x00\ud800\udfff"
        read = event_document(
            document(action("REJECT", createdBy=odd, declaration={odd: odd}, content={"reason": odd}), trackingId=odd)
        )
        assert (read.tracking_id, read.actions[0].created_by) == (odd, odd)
        assert (read.actions[0].declaration, read.actions[0].content) == ({odd: odd}, {"reason": odd})

    @pytest.mark.parametrize("key", ["unknown", "", "\x00", "\ud800", "__proto__", "requestId", "created_by"])
    def test_keys_that_the_type_does_not_have_are_ignored(self, key: str) -> None:
        read = event_document(document(action("DECLARE", **{key: 5}), action("EDIT", content={key: 5})))
        assert read.actions[0].request_id is None
        assert read.actions[1].content == {key: 5}

    @pytest.mark.parametrize("type_", FORMS)
    @pytest.mark.parametrize("status", ["Requested", "Accepted", "Rejected"])
    def test_an_action_of_any_type_has_any_status(self, type_: str, status: str) -> None:
        read = event_document(document(action(type_, status=status))).actions[0]
        assert (read.type, read.status) == (type_, status)

    def test_the_declaration_is_the_payloads_own_however_deep_it_is(self) -> None:
        value = nested(100_000)
        read = event_document(document(action(declaration={"deep": value}, annotation={"deep": value})))
        assert read.actions[0].declaration["deep"] is value
        assert of_action(declaration=value, createdBy=value, content=value) == [AT_THE_ACTION]
        assert paths(value) != []


REASONS: list[tuple[Any, ProblemPath | None]] = [
    ({"reason": "x", "more": 5}, None),
    ({"reason": " "}, None),
    ({"reason": "\ud800", "\ud800": 1}, None),
    ({"reason": ""}, ["content", "reason"]),
    ({"reason": None}, []),
    ({"reason": 5}, []),
    ({}, []),
    ([], []),
    ("x", []),
    (None, []),
    (ABSENT, []),
]
CONTENTS: list[tuple[str, Any, ProblemPath | None]] = [
    # the type, its content, and where in the action the problem is: None where there is none
    *[(type_, *reason) for type_ in ("REJECT", "REJECT_CORRECTION") for reason in REASONS],
    ("ARCHIVE", {"reason": "A duplicate"}, None),
    ("ARCHIVE", {}, None),
    ("ARCHIVE", ABSENT, None),
    ("ARCHIVE", None, []),
    ("ARCHIVE", {"reason": ""}, ["content", "reason"]),
    ("ARCHIVE", {"reason": None}, []),
    ("ARCHIVE", "x", []),
    ("EDIT", {"comment": ""}, None),
    ("EDIT", {}, None),
    ("EDIT", {"comment": None}, []),
    ("EDIT", {"comment": 5}, []),
    ("EDIT", [], []),
    ("EDIT", None, []),
    ("EDIT", ABSENT, None),
    ("PRINT_CERTIFICATE", {"templateId": "v2.birth"}, None),
    ("PRINT_CERTIFICATE", {}, None),
    ("PRINT_CERTIFICATE", None, None),
    ("PRINT_CERTIFICATE", ABSENT, None),
    ("PRINT_CERTIFICATE", {"templateId": None}, []),
    ("PRINT_CERTIFICATE", {"templateId": 5}, []),
    ("PRINT_CERTIFICATE", [], []),
    ("PRINT_CERTIFICATE", "x", []),
    ("APPROVE_CORRECTION", {"comment": 5}, None),
    ("APPROVE_CORRECTION", ABSENT, None),
    ("APPROVE_CORRECTION", None, []),
    ("DUPLICATE_DETECTED", {"duplicates": []}, None),
    ("DUPLICATE_DETECTED", {"duplicates": [{"id": uuid(1), "trackingId": "", "more": 5, "\ud800": 5}]}, None),
    ("DUPLICATE_DETECTED", {"duplicates": [{"id": uuid(1), "trackingId": ""}, {"id": "", "trackingId": ""}]},
     ["content", "duplicates", 1, "id"]),
    ("DUPLICATE_DETECTED", {"duplicates": [{"id": uuid(1)}]}, []),
    ("DUPLICATE_DETECTED", {"duplicates": [{"id": uuid(1), "trackingId": None}]}, []),
    ("DUPLICATE_DETECTED", {"duplicates": [5]}, []),
    ("DUPLICATE_DETECTED", {"duplicates": None}, []),
    ("DUPLICATE_DETECTED", {}, []),
    ("DUPLICATE_DETECTED", ABSENT, []),
    ("MARK_AS_DUPLICATE", {"duplicateOf": uuid(1)}, None),
    ("MARK_AS_DUPLICATE", ABSENT, None),
    ("MARK_AS_DUPLICATE", {"duplicateOf": "ABC123"}, ["content", "duplicateOf"]),
    ("MARK_AS_DUPLICATE", {"duplicateOf": None}, []),
    ("MARK_AS_DUPLICATE", {}, []),
    ("MARK_AS_DUPLICATE", None, []),
]  # fmt: skip
OWN_TEXTS = [
    ("ASSIGN", "assignedTo"),
    ("APPROVE_CORRECTION", "requestId"),
    ("REJECT_CORRECTION", "requestId"),
    ("CUSTOM", "customActionType"),
]


class TestOwnFields:
    """What only some types have."""

    @pytest.mark.parametrize(("type_", "content", "path"), CONTENTS, ids=ascii)
    def test_each_type_has_its_own_content(self, type_: str, content: Any, path: ProblemPath | None) -> None:
        assert of_action(type_, content=content) == ([] if path is None else [[*AT_THE_ACTION, *path]])

    @pytest.mark.parametrize(("type_", "key"), OWN_TEXTS)
    def test_its_own_text_is_required(self, type_: str, key: str) -> None:
        wrong: list[Any] = [ABSENT, None, True, 5, []]
        for value in wrong:
            assert of_action(type_, **{key: value}) == [AT_THE_ACTION]
        assert of_action(type_, **{key: ""}) == []

    def test_a_registration_number_may_be_absent_and_never_null(self) -> None:
        assert of_action("REGISTER") == []
        assert of_action("REGISTER", registrationNumber="2026-1") == []
        assert of_action("REGISTER", registrationNumber=None) == [AT_THE_ACTION]
        assert of_action("REGISTER", registrationNumber=5) == [AT_THE_ACTION]

    def test_all_types_with_own_fields_are_among_these(self) -> None:
        assert set(OWN_FIELDS) <= {type_ for type_, *_ in CONTENTS} | {type_ for type_, _ in OWN_TEXTS}


class TestRejectedForm:
    """A Rejected action of a type that core asks about."""

    @pytest.mark.parametrize("type_", CONFIRMABLE)
    def test_it_may_lack_what_only_the_full_form_has(self, type_: str) -> None:
        lacking: dict[str, Any] = dict.fromkeys(("declaration", *OWN_FIELDS.get(type_, {})), ABSENT)
        read = event_document(document(action(type_, status="Rejected", **lacking))).actions[0]
        assert (read.type, read.status, read.declaration, read.annotation) == (type_, "Rejected", {}, None)
        assert (read.content, read.request_id, read.custom_action_type) == (None, None, None)

    @pytest.mark.parametrize("type_", CONFIRMABLE)
    @pytest.mark.parametrize("status", ["Requested", "Accepted"])
    def test_the_other_forms_need_a_declaration(self, type_: str, status: str) -> None:
        assert of_action(type_, status=status, declaration=ABSENT) == [AT_THE_ACTION]

    @pytest.mark.parametrize("type_", sorted(FORMS.keys() - CONFIRMABLE.keys()))
    def test_types_that_core_does_not_ask_about_have_no_such_form(self, type_: str) -> None:
        assert of_action(type_, status="Rejected", declaration=ABSENT) == [AT_THE_ACTION]

    @pytest.mark.parametrize("key", ["declaration", "annotation", "content", "requestId"])
    @pytest.mark.parametrize("value", [5, [], True], ids=repr)
    def test_those_fields_are_not_looked_at(self, key: str, value: Any) -> None:
        read = event_document(document(action("REJECT_CORRECTION", status="Rejected", **{key: value}))).actions[0]
        assert (read.declaration, read.annotation, read.content) == ({}, None, None)

    def test_a_full_form_keeps_its_fields(self) -> None:
        read = event_document(document(action("REJECT", status="Rejected", declaration={"a": 1}))).actions[0]
        assert (read.declaration, read.content) == ({"a": 1}, {"reason": "Illegible"})

    @pytest.mark.parametrize(
        ("key", "value"), [("id", 5), ("createdAt", None), ("createdBy", ABSENT), ("createdByRole", None)]
    )
    def test_everything_else_is_demanded(self, key: str, value: Any) -> None:
        assert of_action(status="Rejected", declaration=ABSENT, **{key: value}) == [AT_THE_ACTION]

    def test_a_wrong_format_is_told_at_its_key_where_only_this_form_comes_near(self) -> None:
        assert of_action(status="Rejected", declaration=ABSENT, id="x") == [[*AT_THE_ACTION, "id"]]

    def test_and_at_the_action_where_the_full_form_comes_as_near(self) -> None:
        assert of_action(status="Rejected", id="x") == [AT_THE_ACTION]

    def test_an_empty_reason_is_no_problem_here(self) -> None:
        assert of_action("REJECT", status="Rejected", content={"reason": ""}) == []


class TestUnknownType:
    """An action of a type that only a newer core has."""

    def test_it_is_judged_by_what_all_actions_have(self) -> None:
        assert of_action("REVOKE_REGISTRATION") == []
        assert of_action("REVOKE_REGISTRATION", createdBy=ABSENT) == [AT_THE_ACTION]
        assert of_action("REVOKE_REGISTRATION", id="x") == [[*AT_THE_ACTION, "id"]]

    @pytest.mark.parametrize("content", [None, 5, "x", [1], {"reason": ""}, ABSENT], ids=repr)
    def test_its_content_may_be_anything_and_is_kept(self, content: Any) -> None:
        read = event_document(document(action("REVOKE_REGISTRATION", content=content))).actions[0]
        assert read.content == (None if content is ABSENT else content)

    def test_a_rejected_one_may_lack_its_declaration(self) -> None:
        assert of_action("REVOKE_REGISTRATION", status="Rejected", declaration=ABSENT) == []
        assert of_action("REVOKE_REGISTRATION", status="Accepted", declaration=ABSENT) == [AT_THE_ACTION]
