"""What is sent to core for each action that is confirmed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from app.opencrvs.confirmations import Confirmation, may_reject_late
from app.records.actions import CONFIRMABLE
from tests.opencrvs.pending import ACTION, EVENT, OFFICE, OWN, PATHS, accepting, pending, rejecting


def test_the_recorded_accept_of_a_registration() -> None:
    confirmation = accepting("REGISTER", declaration={"child.nid": "1458975106"})
    assert confirmation.procedure == "event.actions.register.accept"
    assert confirmation.fields == {
        "transactionId": "t1",
        "eventId": EVENT,
        "actionId": ACTION,
        "registrationNumber": "2026LSK00012",
        "declaration": {"child.nid": "1458975106"},
    }


@pytest.mark.parametrize("action_type", CONFIRMABLE)
def test_an_accept_has_the_fields_of_the_actions_own_input_and_no_more(action_type: str) -> None:
    confirmation = accepting(action_type)
    number = {"registrationNumber": "2026LSK00012"} if action_type == "REGISTER" else {}
    assert confirmation.procedure == f"event.actions.{PATHS[action_type]}.accept"
    assert (
        confirmation.fields
        == {"eventId": EVENT, "actionId": ACTION, "transactionId": "t1", "declaration": {}} | OWN[action_type] | number
    )


@pytest.mark.parametrize("action_type", CONFIRMABLE)
def test_a_reject_has_three_fields(action_type: str) -> None:
    confirmation = rejecting(action_type)
    assert confirmation.procedure == f"event.actions.{PATHS[action_type]}.reject"
    assert confirmation.fields == {"eventId": EVENT, "actionId": ACTION, "transactionId": "t1"}


@pytest.mark.parametrize("make", [accepting, rejecting])
@pytest.mark.parametrize("action_type", CONFIRMABLE)
def test_of_a_system_user_the_location_is_sent_too(action_type: str, make: Callable[[str], Confirmation]) -> None:
    users = make(action_type)
    systems = msgspec.structs.replace(pending(action_type), created_by_user_type="system")
    if users.accepted:
        confirmation = Confirmation.accepting(EVENT, systems, registration_number=users.registration_number)
    else:
        confirmation = Confirmation.rejecting(EVENT, systems)
    assert confirmation.fields == users.fields | {"createdAtLocation": OFFICE}


@pytest.mark.parametrize(
    ("action_type", "changes"),
    [
        ("NOTIFY", {"createdByUserType": "system", "createdAtLocation": None}),
        ("PRINT_CERTIFICATE", {"content": None}),
        ("APPROVE_CORRECTION", {"content": None}),
    ],
)
def test_what_the_action_does_not_have_is_left_out_and_never_null(action_type: str, changes: dict[str, Any]) -> None:
    fields = Confirmation.accepting(EVENT, pending(action_type, **changes)).fields
    assert not {"content", "createdAtLocation", "annotation"} & set(fields)
    assert None not in fields.values()


def test_the_content_of_an_approved_correction_is_sent_where_it_has_one() -> None:
    content = {"comment": "proven"}
    approved = pending("APPROVE_CORRECTION", content=content)
    assert Confirmation.accepting(EVENT, approved).fields["content"] == content


def test_nulls_inside_the_declaration_are_kept_because_they_erase() -> None:
    assert accepting("DECLARE", declaration={"child.nid": None}).fields["declaration"] == {"child.nid": None}


@pytest.mark.parametrize("annotation", [{}, {"checked": True}])
def test_an_annotation_is_sent_where_one_is_given(annotation: dict[str, Any]) -> None:
    assert accepting("DECLARE", annotation=annotation).fields["annotation"] == annotation


def test_a_registration_number_is_sent_for_registrations_only() -> None:
    assert "registrationNumber" not in accepting("DECLARE", registration_number="2026LSK00012").fields


@pytest.mark.parametrize("number", [None, ""])
def test_a_registration_is_not_accepted_without_its_number(number: str | None) -> None:
    with pytest.raises(ValueError, match="registration number"):
        Confirmation.accepting(EVENT, pending("REGISTER"), registration_number=number)


def test_there_is_no_confirmation_of_what_core_does_not_ask_about() -> None:
    with pytest.raises(ValueError, match="CREATE"):
        Confirmation(accepted=True, event_id=EVENT, action_id=ACTION, action_type="CREATE", transaction_id="t1")


@pytest.mark.parametrize("action_type", CONFIRMABLE)
def test_three_actions_cannot_be_rejected_late(action_type: str) -> None:
    never = ("REJECT", "APPROVE_CORRECTION", "REJECT_CORRECTION")
    assert may_reject_late(action_type) == (action_type not in never)


def test_what_a_confirmation_says_of_a_person_is_not_in_its_repr() -> None:
    confirmation = accepting("REGISTER", declaration={"a": "Amina"}, annotation={"b": "Mwale"})
    shown = repr(confirmation) + repr(accepting("REJECT"))
    assert all(word not in shown for word in ("Amina", "Mwale", "2026LSK00012", "illegible"))
