"""Whose token speaks for an event action."""

from __future__ import annotations

from typing import Any

import pytest

from app.access.action_token import ActionToken, action_token

EVENT, ACTION = "9A8B7C6D-1111-4222-8333-444455556666", "0af18fbd-617e-4c0b-ad46-cd211f828526"
SCOPES = ["type=record.confirm-registration", "type=record.reject-registration"]
BOUND = {"sub": "a-registrar", "userType": "user", "eventId": EVENT, "actionId": ACTION, "scope": SCOPES}
SERVICE = {"sub": "__SERVICE_USER__", "userType": "system", "scope": []}


def test_core_2_0s_is_bound_to_event_and_action_and_may_confirm() -> None:
    assert action_token(BOUND) == ActionToken(EVENT.lower(), ACTION, is_service=False, may_confirm=True)


def test_core_2_1s_is_of_its_service_and_confirms_nothing() -> None:
    assert action_token(SERVICE) == ActionToken(None, None, is_service=True, may_confirm=False)


def test_a_service_token_may_name_event_and_action() -> None:
    named = action_token(SERVICE | {"eventId": EVENT, "actionId": ACTION})
    assert named == ActionToken(EVENT.lower(), ACTION, is_service=True, may_confirm=False)


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "a-registrar", "userType": "user", "scope": ["type=record.register"]},
        {"sub": "a-registrar", "userType": "system"},
        {"sub": "__ANONYMOUS_USER__", "userType": "system"},
        {"sub": "auth", "userType": "system"},
        {"sub": "__SERVICE_USER__", "userType": "user"},
        {"sub": "__SERVICE_USER__"},
        {"sub": ["__SERVICE_USER__"], "userType": "system"},
        BOUND | {"eventId": None},
        BOUND | {"actionId": 5},
        {},
    ],
)
def test_everybody_elses_is_none(claims: dict[str, Any]) -> None:
    assert action_token(claims) is None
