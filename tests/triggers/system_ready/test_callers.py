"""Who may say that the system is ready, and what core 2.0.0's token leaves to people."""

from __future__ import annotations

import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.opencrvs.core_integrations import EventsService
from tests.triggers.system_ready.conftest import CORE, CORE_2_0_0, OWN, MakeRegistry

INTEGRATIONS = json.dumps([{"name": "health", "scopes": ["record.read"]}])


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/trigger", "/triggers"])
def test_where_nothing_is_configured_it_is_501(make_registry: MakeRegistry, method: str, path: str) -> None:
    assert make_registry().call(method=method, path=path).status_code == 501


def test_a_call_without_a_token_is_refused(make_registry: MakeRegistry, events_service: EventsService) -> None:
    registry = make_registry(**OWN)
    assert registry.app.test_client().get("/trigger/system/ready").status_code == 401
    assert events_service.asked == 0


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"userType": "user", "scope": ["type=record.register"]}, id="a registrar"),
        pytest.param({"userType": "system", "scope": []}, id="the service token"),
        pytest.param({"scope": []}, id="no user type"),
        pytest.param({"userType": "user"}, id="no scope"),
        pytest.param({"userType": None}, id="a user type of null"),
        pytest.param({"userType": "system", "scope": ["type=integration.created"]}, id="another scope"),
    ],
)
def test_every_other_token_is_refused(
    make_registry: MakeRegistry, events_service: EventsService, claims: dict[str, Any]
) -> None:
    registry = make_registry(**OWN)
    assert registry.call({"sub": "somebody"} | claims).status_code == 403
    assert events_service.asked == 0
    assert registry.signs() == []


@pytest.mark.parametrize("scope", ["type=integration.create", "integration.create"])
def test_the_scope_is_known_in_the_spelling_of_any_version(
    make_registry: MakeRegistry, events_service: EventsService, scope: str
) -> None:
    registry = make_registry(**OWN)
    assert registry.call(CORE | {"scope": [scope]}).status_code == 200
    assert events_service.names() == ["country-config"]
    assert registry.signs() == ["ready-with-scope"]


def test_core_2_0_0_is_not_held_up_and_an_operator_reads_once_what_to_make(
    make_registry: MakeRegistry, events_service: EventsService
) -> None:
    registry = make_registry(INTEGRATIONS=INTEGRATIONS, **OWN)
    with capture_logs() as logs:
        answers = [registry.call(CORE_2_0_0, method="POST") for _ in range(2)]
    assert [(answer.status_code, answer.json) for answer in answers] == [(200, {}), (200, {})]
    assert events_service.asked == 0
    (warning,) = [line for line in logs if line["event"] == "integration.not_registrable"]
    assert warning["log_level"] == "warning"
    assert warning["integrations"] == ["country-config", "health"]
    assert "by hand" in warning["hint"]
    assert registry.signs() == ["ready-without-scope"]
    assert "cannot be used" in registry.confirmations_list()


def test_after_an_upgrade_from_2_0_0_all_is_registered(
    make_registry: MakeRegistry, events_service: EventsService
) -> None:
    registry = make_registry(INTEGRATIONS=INTEGRATIONS, **OWN)
    registry.call(CORE_2_0_0)
    assert registry.call().status_code == 200
    assert events_service.names() == ["country-config", "health"]
