"""From a payload to variables."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cleaning import clean
from app.notifications.variables import variables_of
from app.records.informant import full_name

NAME = {"firstname": "Amina", "middlename": "Bwalya", "surname": "Mwale"}
NAMED = {"firstname": "Amina", "firstNames": "Amina", "name": "Amina Bwalya Mwale"}
NAMELESS = {"firstname": "", "firstNames": "", "name": ""}


@pytest.mark.parametrize(
    ("message", "payload", "expected"),
    [
        ("2fa", {"code": "123456"}, {"code": "123456", "authCode": "123456"}),
        (
            "user-created",
            {"username": "a.mwale", "temporaryPassword": "T-1"},
            {"username": "a.mwale", "temporaryPassword": "T-1", "password": "T-1"},
        ),
        (
            "user-updated",
            {"oldUsername": "a", "newUsername": "b"},
            {"oldUsername": "a", "newUsername": "b", "username": "b"},
        ),
        ("username-reminder", {"username": "a"}, {"username": "a"}),
        (
            "reset-password-by-admin",
            {
                "temporaryPassword": "T",
                "admin": {"id": "1", "name": {"firstname": "J", "surname": "Banda"}, "role": "R"},
            },
            {"temporaryPassword": "T", "password": "T", "adminName": "J Banda"},
        ),
        ("all-user-notification", {"subject": "S", "body": "B\nb"}, {"subject": "S", "body": "B\nb"}),
        (
            "hospital-discharge",
            {"ward": "7", "code": "x", "beds": 3, "notes": ["n"], "admin": "me"},
            {"ward": "7", "code": "x", "admin": "me"},
        ),
    ],
)
def test_every_text_field_by_its_own_name_and_by_those_of_existing_countries(
    message: str, payload: dict[str, Any], expected: dict[str, str]
) -> None:
    assert variables_of(message, {"recipient": {"name": NAME}, **payload}) == NAMED | expected


@pytest.mark.parametrize(
    "recipient", [{}, {"name": {"firstname": "", "surname": ""}}, {"name": {"firstname": " ", "surname": "  "}}]
)
def test_somebody_without_a_name(recipient: dict[str, Any]) -> None:
    assert variables_of("username-reminder", {"recipient": recipient, "username": "a"}) == NAMELESS | {"username": "a"}


def test_a_field_of_the_country_goes_before_the_recipients_name() -> None:
    found = variables_of("hospital-discharge", {"recipient": {"name": NAME}, "name": "Mercy Hospital"})
    assert found == NAMED | {"name": "Mercy Hospital"}


def test_a_name_leaves_out_what_is_empty() -> None:
    assert full_name({"firstname": "Amina", "middlename": " ", "surname": "Mwale"}) == "Amina Mwale"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\0b", "ab"),
        ("a\ud83d", "a\ufffd"),
        ("\udc76a", "\ufffda"),
        ("\ud83d\udc76", "👶"),
        ("Ünï\0\u202e👶 \ud83d", "Ünï\u202e👶 \ufffd"),
    ],
)
def test_what_utf8_cannot_say_is_replaced(text: str, expected: str) -> None:
    assert clean(text) == expected
    assert variables_of("username-reminder", {"recipient": {}, "username": text})["username"] == expected


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_all_other_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text
