"""Who may send a country's own triggers in production."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.access import clients
from app.database.identifiers import new_id
from tests.triggers.answers import details_of, error_of
from tests.triggers.production import BODIES, LISTED, OWN_TRIGGER, USER, call, in_production
from tests.triggers.serving import Served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path, auth_key: Path) -> Iterator[Served]:
    with in_production(tmp_path_factory.mktemp("server"), migrated_sqlite, auth_key) as server:
        yield server


@dataclass(frozen=True)
class ApiClient:
    name: str
    headers: dict[str, str]


def api_client(server: Served, *permissions: str) -> ApiClient:
    name = new_id()
    return ApiClient(name, server.with_token(clients.create(server.database, name, permissions).key))


def test_a_countrys_own_trigger_takes_a_key_with_the_permission(server: Served) -> None:
    assert call(server, OWN_TRIGGER, headers=api_client(server, "triggers:send").headers).status_code == 200
    answer = call(server, OWN_TRIGGER, headers=api_client(server, "webhooks:manage", "confirmations:write").headers)
    assert answer.status_code == 403
    assert "triggers:send" in details_of(answer)[0]["message"]


def test_a_revoked_or_made_up_key_is_answered_401(server: Served) -> None:
    revoked = api_client(server, "triggers:send")
    clients.revoke(server.database, revoked.name)
    for headers in (revoked.headers, server.with_token(f"cc_{'x' * 43}"), server.with_token("cc_")):
        answer = call(server, OWN_TRIGGER, headers=headers)
        assert (answer.status_code, error_of(answer)) == (401, "Unauthorized")


def test_a_key_opens_none_of_cores_triggers(server: Served) -> None:
    headers = api_client(server, "triggers:send").headers
    for path in set(BODIES) - {OWN_TRIGGER}:
        assert call(server, path, LISTED, headers).status_code == 403


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"sub": "__SERVICE_USER__", "userType": "system"}, 200),
        ({"sub": "0d3c1f6e-93a5-4b38-8f0e-6a8f4d2b7c11", "userType": "system"}, 200),
        ({"sub": "__ANONYMOUS_USER__", "userType": "system"}, 403),
        ({**USER, "scope": ["type=user.edit", "triggers:send"]}, 403),
    ],
)
def test_a_countrys_own_trigger_takes_core_and_its_systems_and_no_user(
    server: Served, claims: dict[str, Any], status: int
) -> None:
    assert call(server, OWN_TRIGGER, headers=server.with_claims(**claims)).status_code == status
