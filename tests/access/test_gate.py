"""Who may call a trigger outside production, by the token that comes and the address that it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from app.triggers.samples import USER_SAMPLES
from tests.triggers.answers import ALERT, ALERT_SETTINGS, details_of, error_of, rows_kept
from tests.triggers.serving import Served, served

BODIES = {"/triggers/user/2fa": USER_SAMPLES["2fa"], "/email": ALERT}
STRANGER = "203.0.113.7"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Served]:
    with served(
        tmp_path_factory.mktemp("server"),
        migrated_sqlite,
        TRUSTED_PROXIES="10.0.0.2",
        TOKENLESS_CALLERS="192.168.0.0/24",
        **ALERT_SETTINGS,
    ) as server:
        yield server


def called(server: Served, peer: str, headers: dict[str, str], path: str = "/triggers/user/2fa") -> TestResponse:
    return server.client.post(path, json=BODIES[path], headers=headers, environ_base={"REMOTE_ADDR": peer})


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "192.168.0.5", "::ffff:192.168.0.9"])
def test_loopback_and_a_listed_address_need_no_token_for_any_trigger(server: Served, path: str, peer: str) -> None:
    assert called(server, peer, {}, path).status_code == 200


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("peer", [STRANGER, "2001:db8::7", "", "10.1.2.3", "172.18.0.5", "192.168.1.5"])
def test_a_stranger_without_a_token_is_answered_403_and_nothing_is_kept(server: Served, path: str, peer: str) -> None:
    before = rows_kept(server.database)
    answer = called(server, peer, {}, path)
    assert answer.status_code == 403
    assert error_of(answer) == "Forbidden"
    assert "there is no token" in details_of(answer)[0]["message"]
    assert rows_kept(server.database) == before


def test_a_stranger_with_cores_token_is_core(server: Served) -> None:
    assert called(server, STRANGER, server.as_core()).status_code == 200


def test_core_behind_an_unknown_proxy_is_core(server: Served) -> None:
    assert called(server, STRANGER, server.as_core() | {"X-Forwarded-For": "garbage"}).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Bearer undefined",
        "bearer undefined",
        "Bearer  undefined ",
        "Bearer",
        "Bearer ",
        "undefined",
        " undefined ",
        "",
        "  ",
    ],
)
def test_what_holds_no_token_counts_as_none(server: Served, header: str) -> None:
    assert called(server, "127.0.0.1", {"Authorization": header}).status_code == 200
    assert called(server, STRANGER, {"Authorization": header}).status_code == 403


@pytest.mark.parametrize(
    "header",
    [
        "Basic dXNlcjpwYXNzd29yZA==",
        "Digest username=a",
        "Undefined",
        "undefined undefined",
        "Token undefined",
        "Bearer,undefined",
        "Bearer null",
        "Bearer Undefined",
        "Bearer undefined undefined",
    ],
)
def test_any_other_authorization_is_answered_401_even_from_loopback(server: Served, header: str) -> None:
    answer = called(server, "127.0.0.1", {"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert error_of(answer) == "Unauthorized"
    assert "dXNlcj" not in answer.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "  Bearer "])
def test_the_scheme_may_be_in_any_letters(server: Served, scheme: str) -> None:
    token = server.as_core()["Authorization"].removeprefix("Bearer ")
    assert called(server, STRANGER, {"Authorization": f"{scheme} {token}"}).status_code == 200


@pytest.mark.parametrize(
    ("peer", "chain", "status"),
    [
        pytest.param("127.0.0.1", "127.0.0.1", 403, id="a stranger forwards"),
        pytest.param(STRANGER, "127.0.0.1", 403, id="a stranger pretends"),
        pytest.param("10.0.0.2", "192.168.0.9", 200, id="the proxy speaks for a trusted caller"),
        pytest.param("10.0.0.2", STRANGER, 403, id="the proxy speaks for a stranger"),
        pytest.param("10.0.0.2", f"127.0.0.1, {STRANGER}", 403, id="the proxy speaks for a stranger who pretends"),
        pytest.param("10.0.0.2", f"{STRANGER}, 192.168.0.9", 200, id="a trusted caller pretends to be a stranger"),
        pytest.param("10.0.0.2", "192.168.0.9:80", 403, id="the proxy says what is no address"),
    ],
)
def test_a_forwarded_address_counts_only_behind_a_trusted_proxy(
    server: Served, peer: str, chain: str, status: int
) -> None:
    assert called(server, peer, {"X-Forwarded-For": chain}).status_code == status


def test_a_proxy_that_does_not_say_for_whom_it_calls_is_answered_403(server: Served) -> None:
    assert called(server, "10.0.0.2", {}).status_code == 403


def test_who_may_not_call_does_not_have_its_body_read(server: Served) -> None:
    answer = server.client.post(
        "/triggers/user/2fa", data=b"{", content_type="text/plain", environ_base={"REMOTE_ADDR": STRANGER}
    )
    assert answer.status_code == 403


def test_ping_and_health_are_for_everybody(server: Served) -> None:
    for path in ("/ping", "/health/live", "/health/ready"):
        assert server.client.get(path, environ_base={"REMOTE_ADDR": STRANGER}).status_code == 200
