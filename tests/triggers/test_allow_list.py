"""Who may send which trigger: each cell of the contract's table, and nobody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from app.access.callers import Caller, CallerKind, caller_of_token
from app.access.development import claims_for
from app.access.grants import Grant, find_grant, grants_to
from app.country import Country, CountryTrigger
from app.notifications.catalogue import USER_MESSAGES
from app.triggers.allow_list import INFRASTRUCTURE_ALERT, OWN_TRIGGERS, USER_TRIGGERS
from app.triggers.catalogue import trigger_types

USER = {"sub": "6f2b8a54-4d2c-4c8e-9a57-0e5d2f1c7b3a", "userType": "user"}
SYSTEM = {"sub": "0d3c1f6e-93a5-4b38-8f0e-6a8f4d2b7c11", "userType": "system"}
SERVICE = {"sub": "__SERVICE_USER__", "userType": "system", "scope": []}
ACTION = {"eventId": "e", "actionId": "a", "scope": ["type=record.confirm-registration"]}

CALLERS: Mapping[str, Caller] = {
    "auth service": caller_of_token({"sub": "auth", "userType": "system", "scope": []}),
    "service": caller_of_token(SERVICE),
    "anonymous": caller_of_token({"sub": "__ANONYMOUS_USER__", "userType": "system", "scope": []}),
    "seeder": caller_of_token({"sub": "opencrvs:data-seeder-service"}),
    "user": caller_of_token({**USER, "scope": ["type=record.declare&event=birth"]}),
    "user.create": caller_of_token({**USER, "scope": ["type=user.create&role=FIELD_AGENT"]}),
    "user.create of 1.9": caller_of_token({**USER, "scope": ["user.create:all"]}),
    "user.edit": caller_of_token({**USER, "scope": ["demo", "type=user.edit"]}),
    "user.edit of 1.9": caller_of_token({**USER, "scope": ["user.update:all"]}),
    "system": caller_of_token({**SYSTEM, "scope": ["type=record.create"]}),
    "system with user.create": caller_of_token({**SYSTEM, "scope": ["type=user.create"]}),
    "system with user.edit": caller_of_token({**SYSTEM, "scope": ["type=user.edit"]}),
    "action of a user": caller_of_token({**USER, **ACTION, "scope": ["type=user.edit", "type=user.create"]}),
    "action of a service": caller_of_token({**SERVICE, **ACTION}),
    "action of the auth service": caller_of_token({"sub": "auth", "userType": "system", **ACTION}),
    "other token": caller_of_token({"sub": "development"}),
    "API key": Caller(CallerKind.CLIENT, frozenset({"triggers:send"})),
    "API key for webhooks": Caller(CallerKind.CLIENT, frozenset({"webhooks:manage", "confirmations:write"})),
    "listed": Caller(CallerKind.LISTED, identity="10.7.0.1"),
    "nobody": Caller(CallerKind.NOBODY, identity="10.8.0.1"),
}

CREATE = {"user.create", "user.create of 1.9", "system with user.create"}
EDIT = {"user.edit", "user.edit of 1.9", "system with user.edit"}
USERS = {"user", "user.create", "user.create of 1.9", "user.edit", "user.edit of 1.9"}

TAKEN: Mapping[str, set[str]] = {
    "2fa": {"auth service"},
    "reset-password": {"auth service"},
    "password-reset-link": {"auth service"},
    "username-reminder-link": {"auth service"},
    "user-created": CREATE | {"seeder"},
    "resend-invite": EDIT,
    "reset-password-by-admin": EDIT,
    "user-updated": EDIT | USERS,
    "username-reminder": EDIT | {"auth service", "listed", "service", "anonymous", "system", "system with user.create"},
    "change-phone-number": USERS,
    "change-email-address": USERS,
    "all-user-notification": {"service", "anonymous", "listed"},
    "/email": {"listed"},
    "a country's own": {"service", "system", "system with user.create", "system with user.edit", "API key"},
}
GRANTS: Mapping[str, Sequence[Grant]] = {
    **USER_TRIGGERS,
    "/email": INFRASTRUCTURE_ALERT,
    "a country's own": OWN_TRIGGERS,
}

CONTRACT = [
    ("2fa", "2.0.0", "auth service"),
    ("2fa", "2.0.1 to 2.1", "auth service"),
    ("reset-password", "2.0.0", "auth service"),
    ("reset-password", "2.0.1 to 2.1", "auth service"),
    ("user-created", "2.0.0, an administrator", "user.create"),
    ("user-created", "2.0.0, the seeder", "seeder"),
    ("user-created", "2.0.1 to 2.1, an administrator", "user.create"),
    ("user-created", "2.0.1 to 2.1, the seeder", "seeder"),
    ("user-updated", "2.0.0, an administrator", "user.edit"),
    ("user-updated", "2.0.0, the name of the user", "user"),
    ("user-updated", "2.0.1 to 2.1, an administrator", "user.edit"),
    ("user-updated", "2.0.1 to 2.1, the name of the user", "user"),
    ("resend-invite", "2.0.0", "user.edit"),
    ("resend-invite", "2.0.1 to 2.1", "user.edit"),
    ("reset-password-by-admin", "2.0.0", "user.edit"),
    ("reset-password-by-admin", "2.0.1 to 2.1", "user.edit"),
    ("username-reminder", "2.0.0, an administrator", "user.edit"),
    ("username-reminder", "2.0.1 to 2.1, an administrator", "user.edit"),
    ("change-phone-number", "2.0.0", "user"),
    ("change-phone-number", "2.0.1 to 2.1", "user"),
    ("change-email-address", "2.0.0", "user"),
    ("change-email-address", "2.0.1 to 2.1", "user"),
    ("username-reminder", "2.0.0, the sign-in page", "listed"),
    ("username-reminder", "2.0.1, the sign-in page", "auth service"),
    ("username-reminder-link", "2.1", "auth service"),
    ("password-reset-link", "2.1", "auth service"),
    ("all-user-notification", "2.0.0", "listed"),
    ("all-user-notification", "2.0.1", "anonymous"),
    ("all-user-notification", "2.1", "service"),
    ("/email", "2.0.0", "listed"),
    ("/email", "2.0.1 to 2.1", "listed"),
]


@pytest.mark.parametrize(("trigger", "version", "caller"), CONTRACT, ids=lambda part: part)
def test_what_core_sends_is_taken(trigger: str, version: str, caller: str) -> None:
    assert find_grant(GRANTS[trigger], CALLERS[caller]) is not None
    assert caller in TAKEN[trigger]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("trigger", GRANTS)
def test_nothing_else_is_taken(trigger: str, caller: str) -> None:
    assert (find_grant(GRANTS[trigger], CALLERS[caller]) is not None) is (caller in TAKEN[trigger])


@pytest.mark.parametrize("trigger", GRANTS)
def test_a_developer_without_a_token_may_send_everything_without_a_limit(trigger: str) -> None:
    grant = find_grant(GRANTS[trigger], Caller(CallerKind.DEVELOPER))
    assert grant is not None
    assert grant.limit is None


@pytest.mark.parametrize(
    ("trigger", "caller", "bucket", "calls"),
    [
        ("change-phone-number", "user", "own-token", 20),
        ("change-email-address", "user.edit", "own-token", 20),
        ("user-updated", "user", "own-token", 20),
        ("user-updated", "user.edit", None, None),
        ("user-created", "user.create", None, None),
        ("user-created", "seeder", None, None),
        ("resend-invite", "user.edit", None, None),
        ("2fa", "auth service", None, None),
        ("username-reminder", "auth service", None, None),
        ("username-reminder", "listed", "tokenless", 1_000),
        ("username-reminder", "anonymous", "system-token", 1_000),
        ("all-user-notification", "service", "all-user-notification", 1_000),
        ("all-user-notification", "anonymous", "all-user-notification", 1_000),
        ("all-user-notification", "listed", "all-user-notification", 1_000),
        ("/email", "listed", "email", 600),
    ],
)
def test_calls_are_limited_where_a_misuse_would_cost_and_core_would_not_meet_it(
    trigger: str, caller: str, bucket: str | None, calls: int | None
) -> None:
    grant = find_grant(GRANTS[trigger], CALLERS[caller])
    assert grant is not None
    found = (grant.limit.bucket, grant.limit.calls) if grant.limit is not None else (None, None)
    assert found == (bucket, calls)
    assert grant.limit is None or grant.limit.seconds == 3_600.0


def test_every_trigger_names_its_callers() -> None:
    own = CountryTrigger("hospital/discharge", {}, "discharge")
    kinds = trigger_types(Country(triggers={own.path: own}))
    assert set(USER_MESSAGES) <= set(USER_TRIGGERS)
    for path, kind in kinds.items():
        expected = {"email": INFRASTRUCTURE_ALERT, own.path: OWN_TRIGGERS}
        assert kind.callers == expected.get(path) or kind.callers == USER_TRIGGERS[path.removeprefix("user/")]
        assert all(grant.who for grant in kind.callers)


@pytest.mark.parametrize("trigger", [name for name in GRANTS if name != "/email"])
def test_a_development_server_signs_tokens_that_fit(trigger: str) -> None:
    claims: dict[str, Any] = claims_for(GRANTS[trigger])
    assert find_grant(GRANTS[trigger], caller_of_token(claims)) is not None


def test_no_token_fits_where_none_is_taken() -> None:
    with pytest.raises(ValueError, match="without one"):
        claims_for(INFRASTRUCTURE_ALERT)


def test_without_a_token_only_three_are_taken_in_production() -> None:
    tokenless = {name for name, grants in GRANTS.items() if grants_to(grants, CallerKind.LISTED)}
    assert tokenless == {"username-reminder", "all-user-notification", "/email"}
