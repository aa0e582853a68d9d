"""Who calls with a token of core's, by its claims."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.callers import Caller, CallerKind, caller_of_key, caller_of_token
from app.access.clients import Client
from app.access.scopes import USER_CREATE, USER_EDIT, scope_names

USER_ID = "6f2b8a54-4d2c-4c8e-9a57-0e5d2f1c7b3a"


@pytest.mark.parametrize(
    ("claims", "kind"),
    [
        ({"sub": "auth", "userType": "system"}, CallerKind.AUTH_SERVICE),
        ({"sub": "auth"}, CallerKind.AUTH_SERVICE),
        ({"sub": "opencrvs:data-seeder-service"}, CallerKind.SEEDER),
        ({"sub": "__SERVICE_USER__", "userType": "system"}, CallerKind.SERVICE),
        ({"sub": "__ANONYMOUS_USER__", "userType": "system"}, CallerKind.ANONYMOUS),
        ({"sub": USER_ID, "userType": "user"}, CallerKind.USER),
        ({"sub": USER_ID, "userType": "system"}, CallerKind.SYSTEM),
        # A name of core's own counts for nothing in a user's token, and these two are never without a userType.
        ({"sub": "auth", "userType": "user"}, CallerKind.USER),
        ({"sub": "__SERVICE_USER__", "userType": "user"}, CallerKind.USER),
        ({"sub": "__SERVICE_USER__"}, CallerKind.OTHER_TOKEN),
        ({"sub": "__ANONYMOUS_USER__"}, CallerKind.OTHER_TOKEN),
        ({"sub": "AUTH", "userType": "system"}, CallerKind.SYSTEM),
        ({"sub": USER_ID}, CallerKind.OTHER_TOKEN),
        ({}, CallerKind.OTHER_TOKEN),
        ({"sub": ["auth"], "userType": ["user"]}, CallerKind.OTHER_TOKEN),
    ],
)
def test_the_subject_and_the_user_type_say_who_calls(claims: dict[str, Any], kind: CallerKind) -> None:
    assert caller_of_token(claims).kind is kind


@pytest.mark.parametrize("binding", [{"eventId": "e"}, {"actionId": "a"}, {"eventId": None}, {"eventId": "", "b": 1}])
@pytest.mark.parametrize("subject", ["auth", "__SERVICE_USER__", "opencrvs:data-seeder-service", USER_ID])
@pytest.mark.parametrize("user_type", ["user", "system", None])
def test_a_token_that_is_bound_to_an_action_is_nothing_else(
    binding: dict[str, Any], subject: str, user_type: str | None
) -> None:
    claims = {"sub": subject, "userType": user_type, "scope": ["type=user.edit"], **binding}
    assert caller_of_token(claims).kind is CallerKind.ACTION


def test_a_caller_has_the_scopes_and_the_subject_of_its_token() -> None:
    caller = caller_of_token({"sub": USER_ID, "userType": "user", "scope": ["type=user.edit&role=A,B", "demo"]})
    assert caller == Caller(CallerKind.USER, frozenset({"user.edit", "demo"}), USER_ID)


def test_a_caller_does_not_show_whom_it_is_when_it_is_printed() -> None:
    assert USER_ID not in repr(Caller(CallerKind.USER, identity=USER_ID))


def test_an_api_clients_permissions_are_its_scopes() -> None:
    client = Client("client-1", "hospital", frozenset({"triggers:send"}), 0.0)
    assert caller_of_key(client) == Caller(CallerKind.CLIENT, frozenset({"triggers:send"}), "client-1")


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("type=user.create", USER_CREATE),
        ("user.create", USER_CREATE),
        ("user.create[role=FIELD_AGENT|HOSPITAL_CLERK]", USER_CREATE),
        ("user.create:all", USER_CREATE),
        ("user.create:my-jurisdiction", USER_CREATE),
        ("type=user.edit&accessLevel=location", USER_EDIT),
        ("user.edit[role=FIELD_AGENT]", USER_EDIT),
        ("user.update:all", USER_EDIT),
        ("user.update:my-jurisdiction", USER_EDIT),
        ("type=user.update", USER_EDIT),
    ],
)
def test_the_spelling_of_any_version_counts(scope: str, names: frozenset[str]) -> None:
    assert scope_names({"scope": [scope]}) <= names
    assert USER_CREATE.isdisjoint(USER_EDIT)


@pytest.mark.parametrize("scope", ["user.read:all", "user.created", "type=user.editor", "xuser.edit", "user.edit:none"])
def test_a_scope_that_only_looks_like_one_does_not_count(scope: str) -> None:
    assert scope_names({"scope": [scope]}).isdisjoint(USER_CREATE | USER_EDIT)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(["auth", "user", "system"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["sub", "userType", "scope", "eventId", "actionId", "aud"]), json_values))
def test_any_claims_are_some_caller(claims: dict[str, Any]) -> None:
    caller = caller_of_token(claims)
    assert caller.kind in CallerKind
    assert caller.kind is not CallerKind.USER or claims["userType"] == "user"
