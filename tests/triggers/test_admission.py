"""Who may send a trigger in production, as callers see it: statuses, the log, the signs of core's version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.access.callers import Caller, CallerKind
from app.access.gate import Forbidden
from app.access.rate_limits import RateLimits
from app.country import Country
from app.database.engine import Database
from app.encryption import Cipher
from app.opencrvs.version_signs import Sign, VersionSigns
from app.triggers import allow_list
from app.triggers.admission import Admission
from app.triggers.catalogue import TriggerType, trigger_types
from app.triggers.samples import USER_SAMPLES
from tests.triggers.answers import error_of, rows_kept
from tests.triggers.production import BODIES, LISTED, PRIVATE, PROXY, STRANGER, USER, call, in_production
from tests.triggers.serving import Served

TOKENLESS = {"/triggers/user/username-reminder", "/triggers/user/all-user-notification", "/email"}
REMINDER = "/triggers/user/username-reminder"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path, auth_key: Path) -> Iterator[Served]:
    with in_production(tmp_path_factory.mktemp("server"), migrated_sqlite, auth_key) as server:
        yield server


@pytest.fixture
def fresh_server(tmp_path: Path, migrated_sqlite: Path, auth_key: Path) -> Iterator[Served]:
    """One that has not been called yet."""
    with in_production(tmp_path, migrated_sqlite, auth_key) as server:
        yield server


@contextmanager
def nothing_is_kept(server: Served) -> Iterator[None]:
    before = rows_kept(server.database)
    yield
    assert rows_kept(server.database) == before


def seen(server: Served) -> set[tuple[Sign, str]]:
    return {(one.sign, one.detail) for one in VersionSigns(server.database).seen(60.0)}


@pytest.mark.parametrize("name", USER_SAMPLES)
def test_what_core_sends_is_taken_from_anywhere(server: Served, name: str) -> None:
    assert call(server, f"/triggers/user/{name}", headers=server.as_core(name)).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {**USER, "scope": ["type=record.register", "type=user.create", "type=user.edit"]},
        {"sub": "0d3c1f6e-93a5-4b38-8f0e-6a8f4d2b7c11", "userType": "system", "scope": ["type=record.create"]},
        {"sub": "development"},
    ],
    ids=["an administrator", "a system client", "another token"],
)
@pytest.mark.parametrize("path", ["/triggers/user/2fa", "/triggers/user/all-user-notification", "/email"])
def test_a_token_that_core_does_not_send_is_refused(server: Served, path: str, claims: dict[str, Any]) -> None:
    with nothing_is_kept(server):
        for peer in (STRANGER, LISTED, "127.0.0.1"):
            answer = call(server, path, peer, server.with_claims(**claims))
            assert (answer.status_code, error_of(answer)) == (403, "Forbidden")
            assert claims["sub"] not in answer.text


@pytest.mark.parametrize("path", BODIES)
def test_a_token_of_an_event_action_is_for_event_actions_only(server: Served, path: str) -> None:
    claims = {**USER, "eventId": "e", "actionId": "a", "scope": ["type=user.edit", "type=user.create"]}
    service = {"sub": "__SERVICE_USER__", "userType": "system", "eventId": "e", "actionId": "a"}
    with nothing_is_kept(server):
        assert call(server, path, LISTED, server.with_claims(**claims)).status_code == 403
        assert call(server, path, LISTED, server.with_claims(**service)).status_code == 403


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", PRIVATE, "172.18.0.5", "192.168.0.9", STRANGER, ""])
def test_without_a_token_nothing_is_taken_from_an_address_that_is_not_listed(
    server: Served, path: str, peer: str
) -> None:
    with nothing_is_kept(server):
        answer = call(server, path, peer)
    assert (answer.status_code, error_of(answer)) == (403, "Forbidden")


@pytest.mark.parametrize("header", [None, "undefined", "Bearer undefined"])
@pytest.mark.parametrize("path", BODIES)
def test_without_a_token_a_listed_address_may_send_three(server: Served, path: str, header: str | None) -> None:
    answer = call(server, path, LISTED, {"Authorization": header} if header is not None else {})
    assert answer.status_code == (200 if path in TOKENLESS else 403)


@pytest.mark.parametrize(
    ("peer", "chain", "status"),
    [
        pytest.param(PROXY, LISTED, 200, id="the proxy speaks for a listed caller"),
        pytest.param(PROXY, PRIVATE, 403, id="the proxy speaks for another"),
        pytest.param(PROXY, PROXY, 200, id="core shares the proxy's machine"),
        pytest.param(PROXY, f"{LISTED}, {STRANGER}", 403, id="a stranger pretends"),
        pytest.param(STRANGER, LISTED, 403, id="a stranger forwards"),
        pytest.param(PROXY, None, 403, id="the proxy says nothing"),
    ],
)
def test_behind_a_proxy_the_forwarded_address_counts(server: Served, peer: str, chain: str | None, status: int) -> None:
    headers = {"X-Forwarded-For": chain} if chain is not None else {}
    assert call(server, REMINDER, peer, headers).status_code == status


@pytest.mark.parametrize(
    ("path", "peer", "headers", "hint"),
    [
        (REMINDER, PRIVATE, {}, f"TOKENLESS_CALLERS={PRIVATE},"),
        (REMINDER, PRIVATE, {}, "core to 2.0.1"),
        ("/triggers/user/all-user-notification", STRANGER, {}, f"TOKENLESS_CALLERS={STRANGER},"),
        ("/email", PRIVATE, {}, f"TOKENLESS_CALLERS={PRIVATE},"),
        (REMINDER, PRIVATE, {"X-Forwarded-For": LISTED}, "TRUSTED_PROXIES"),
        (REMINDER, PROXY, {"X-Forwarded-For": PRIVATE}, f"TOKENLESS_CALLERS={PRIVATE},"),
        ("/triggers/user/2fa", PRIVATE, {}, "no version of core"),
        ("/triggers/user/2fa", LISTED, {}, "no version of core"),
        ("/triggers/hospital/discharge", PRIVATE, {}, "--permission triggers:send"),
    ],
)
def test_the_first_refusal_of_each_path_is_an_error_that_says_what_to_do(
    fresh_server: Served, path: str, peer: str, headers: dict[str, str], hint: str
) -> None:
    with capture_logs() as logs:
        for _ in range(3):
            call(fresh_server, path, peer, headers)
        call(fresh_server, path, "172.18.0.5", headers)
    (alert,) = [line for line in logs if line["event"] == "tokenless_call.refused"]
    assert (alert["log_level"], alert["path"]) == ("error", path.removeprefix("/triggers/").lstrip("/"))
    assert hint in alert["hint"]


def test_a_call_that_is_taken_alerts_nobody(server: Served) -> None:
    with capture_logs() as logs:
        call(server, REMINDER, LISTED)
        call(server, "/triggers/user/2fa", headers=server.with_claims(sub="development"))
    assert not [line for line in logs if line["log_level"] == "error"]


def test_refusals_are_counted(fresh_server: Served) -> None:
    call(fresh_server, REMINDER, PRIVATE)
    figures = fresh_server.client.get("/metrics").text
    assert 'country_config_triggers_total{status="403",trigger="user/username-reminder"} 1.0' in figures


@pytest.mark.parametrize(
    ("path", "peer", "caller", "sign"),
    [
        (REMINDER, LISTED, None, Sign.UNAUTHENTICATED),
        ("/triggers/user/all-user-notification", STRANGER, "__ANONYMOUS_USER__", Sign.ANONYMOUS),
        ("/triggers/user/all-user-notification", STRANGER, "__SERVICE_USER__", Sign.SERVICE),
        ("/triggers/user/2fa", STRANGER, "__SERVICE_USER__", None),
        ("/triggers/user/2fa", STRANGER, "auth", None),
        ("/triggers/user/2fa", PRIVATE, None, None),
        ("/email", LISTED, None, None),
    ],
)
def test_what_a_call_shows_about_cores_version_is_recorded(
    fresh_server: Served, path: str, peer: str, caller: str | None, sign: Sign | None
) -> None:
    headers = fresh_server.with_claims(sub=caller, userType="system", scope=[]) if caller is not None else {}
    call(fresh_server, path, peer, headers)
    assert seen(fresh_server) == ({(sign, path.removeprefix("/triggers/"))} if sign is not None else set())


@pytest.mark.parametrize("path", [REMINDER, "/triggers/user/all-user-notification"])
def test_a_refused_call_of_what_may_be_core_2_0_0_is_recorded_as_refused(fresh_server: Served, path: str) -> None:
    call(fresh_server, path, PRIVATE, {})
    assert seen(fresh_server) == {(Sign.UNAUTHENTICATED, f"{path.removeprefix('/triggers/')} (refused)")}


@pytest.mark.parametrize("name", ["password-reset-link", "username-reminder-link"])
def test_a_message_with_a_link_shows_core_2_1(database: Database, cipher: Cipher, name: str) -> None:
    signs = VersionSigns(database)
    admission = Admission(RateLimits(database, cipher), signs)
    like = trigger_types(Country())["user/2fa"]
    trigger = TriggerType(f"user/{name}", like.schema, like.message, allow_list.USER_TRIGGERS[name])
    with pytest.raises(Forbidden):
        admission.admit(trigger, Caller(CallerKind.USER, identity="somebody"))
    assert signs.seen(60.0) == []
    admission.admit(trigger, Caller(CallerKind.AUTH_SERVICE))
    assert [(one.sign, one.detail) for one in signs.seen(60.0)] == [(Sign.LINK_MESSAGE, f"user/{name}")]


def test_an_administrator_may_invite_as_many_as_there_are(server: Served) -> None:
    headers = server.with_claims(**USER, scope=["type=user.create"])
    assert {call(server, "/triggers/user/user-created", headers=headers).status_code for _ in range(60)} == {200}
