"""This server registers itself at core, by credentials that the operator has configured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs
from werkzeug import Response

from tests.opencrvs.core_integrations import EventsService
from tests.triggers.system_ready.conftest import OWN, OWN_ID, OWN_SECRET, MakeRegistry, Registry

ANOTHER_ID = "0d5be0fb-8f1a-4c3f-a9d8-3f5f1f7f2002"
MISMATCH = "integration.client_mismatch"


def errors(logs: Sequence[Mapping[str, Any]]) -> list[str]:
    return [line["event"] for line in logs if line["log_level"] == "error"]


def assert_usable(registry: Registry) -> None:
    assert registry.mismatch() == 0
    assert "cannot be used" not in registry.confirmations_list()


def assert_unusable(registry: Registry, *said: str) -> None:
    assert registry.mismatch() == 1
    last = registry.confirmations_list().splitlines()[-1]
    assert "cannot be used" in last
    for part in said:
        assert part in last


def test_it_is_registered_with_the_configured_credentials_and_the_scopes_to_confirm(
    make_registry: MakeRegistry, events_service: EventsService
) -> None:
    registry = make_registry(**OWN)
    assert "cannot be used" in registry.confirmations_list()
    with capture_logs() as logs:
        assert registry.call().status_code == 200
    assert events_service.created == [
        {
            "name": "country-config",
            "scopes": ["type=record.action.accept", "type=record.action.reject", "type=record.read"],
            "credentials": {"clientId": OWN_ID, "clientSecret": OWN_SECRET},
        }
    ]
    assert errors(logs) == []
    assert_usable(registry)


def test_its_name_can_be_chosen(make_registry: MakeRegistry, events_service: EventsService) -> None:
    registry = make_registry(SYSTEM_CLIENT_NAME="Farajaland", **OWN)
    assert registry.call().status_code == 200
    assert events_service.names() == ["Farajaland"]
    assert "cannot be used" not in registry.confirmations_list()


def test_it_is_registered_beside_the_rules_of_the_country(
    make_registry: MakeRegistry, events_service: EventsService
) -> None:
    rules = "from app.country import on_system_ready\n@on_system_ready\ndef ready(system):\n    raise ValueError\n"
    assert make_registry(rules, **OWN).call().status_code == 503
    assert events_service.names() == ["country-config"]


def test_a_name_that_core_has_is_left_alone(make_registry: MakeRegistry, events_service: EventsService) -> None:
    events_service.add("country-config", OWN_ID)
    registry = make_registry(**OWN | {"SYSTEM_CLIENT_ID": OWN_ID.upper()})
    with capture_logs() as logs:
        assert [registry.call().status_code for _ in range(2)] == [200, 200]
    assert events_service.created == []
    assert errors(logs) == []
    assert_usable(registry)


def test_another_client_id_at_core_is_said_loudly_until_it_is_right(
    make_registry: MakeRegistry, events_service: EventsService
) -> None:
    events_service.add("country-config", ANOTHER_ID)
    registry = make_registry(**OWN)
    with capture_logs() as logs:
        assert registry.call().status_code == 200
    assert errors(logs) == [MISMATCH]
    (line,) = [line for line in logs if line["event"] == MISMATCH]
    assert (line["configured_client_id"], line["registered_client_id"]) == (OWN_ID, ANOTHER_ID)
    assert "Integrations page" in line["hint"]
    assert_unusable(registry, OWN_ID, ANOTHER_ID, "Integrations page")
    events_service.delete("country-config")
    with capture_logs() as logs:
        assert registry.call().status_code == 200
    assert errors(logs) == []
    assert_usable(registry)


def test_configuring_the_id_that_core_has_is_right_too(
    make_registry: MakeRegistry, events_service: EventsService
) -> None:
    events_service.add("country-config", ANOTHER_ID)
    make_registry(**OWN).call()
    registry = make_registry(**OWN | {"SYSTEM_CLIENT_ID": ANOTHER_ID})
    assert "cannot be used" not in registry.confirmations_list()
    assert registry.call().status_code == 200
    assert_usable(registry)


def test_of_several_clients_with_its_name_the_configured_one_counts(
    make_registry: MakeRegistry, events_service: EventsService
) -> None:
    events_service.add("country-config", ANOTHER_ID)
    events_service.add("country-config", OWN_ID)
    registry = make_registry(**OWN)
    with capture_logs() as logs:
        assert registry.call().status_code == 200
    assert "integration.duplicated" in [line["event"] for line in logs]
    assert_usable(registry)


def test_a_core_that_makes_its_own_credentials_is_a_mismatch_and_registers_once(
    make_registry: MakeRegistry, events_service: EventsService
) -> None:
    events_service.takes_credentials = False
    registry = make_registry(**OWN)
    for _ in range(2):
        with capture_logs() as logs:
            assert registry.call().status_code == 200
        assert errors(logs) == [MISMATCH]
    assert events_service.names() == ["country-config"]
    assert_unusable(registry, OWN_ID, events_service.clients[0].id)


def test_an_older_core_gets_no_client_that_it_has_no_use_for(
    make_registry: MakeRegistry, events_service: EventsService
) -> None:
    events_service.takes_credentials = events_service.offers_list = False
    registry = make_registry(**OWN)
    with capture_logs() as logs:
        assert registry.call().status_code == 200
    assert (events_service.asked, events_service.created, errors(logs)) == (1, [], [])
    assert registry.mismatch() is None
    events_service.takes_credentials = events_service.offers_list = True  # core is upgraded
    assert registry.call().status_code == 200
    assert_usable(registry)


def test_a_client_id_that_another_integration_has_is_an_operators_case(
    make_registry: MakeRegistry, events_service: EventsService
) -> None:
    events_service.add("health", OWN_ID)
    registry = make_registry(**OWN)
    with capture_logs() as logs:
        assert "client id" in registry.failures()["country-config"]
    assert errors(logs) == ["integration.refused"]
    assert_unusable(registry, OWN_ID, "another integration")
    events_service.delete("health")
    assert registry.call().status_code == 200
    assert_usable(registry)


def test_a_client_id_that_it_took_itself_in_a_call_without_an_answer_is_its_own(
    make_registry: MakeRegistry, events_service: EventsService
) -> None:
    def register_meanwhile() -> None:
        events_service.add("country-config", OWN_ID)

    events_service.before_create = register_meanwhile
    registry = make_registry(**OWN)
    assert registry.call().status_code == 200
    assert events_service.names() == ["country-config"]
    assert_usable(registry)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(("", 500), id="failing"),
        pytest.param(("<html>closed</html>", 200), id="not JSON"),
        pytest.param(('{"id": 1}', 200), id="not a list"),
        pytest.param(('[{"id": "a"}]', 200), id="without a name"),
        pytest.param(("", 302), id="a redirect"),
        pytest.param(("[]" + " " * 2**20, 200), id="too long"),
        pytest.param(("[" * 100_000, 200), id="too deep"),
    ],
)
def test_nothing_is_registered_while_the_list_cannot_be_had(
    make_registry: MakeRegistry, events_service: EventsService, answer: tuple[str, int]
) -> None:
    events_service.before_list = lambda: Response(*answer)
    registry = make_registry(INTEGRATIONS='[{"name": "health", "scopes": ["record.read"]}]', **OWN)
    assert set(registry.failures()) == {"country-config", "health"}
    assert events_service.created == []
    events_service.before_list = lambda: None
    assert registry.call().status_code == 200


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:1"])
def test_without_an_events_service_it_is_503(
    make_registry: MakeRegistry, events_service: EventsService, url: str | None
) -> None:
    registry = make_registry(EVENTS_URL=url or "", **OWN)
    assert ("EVENTS_URL" in registry.failures()["country-config"]) is (url is None)


def test_its_secret_is_nowhere_but_at_core(make_registry: MakeRegistry, events_service: EventsService) -> None:
    secret = 'cinnamon-"stars"-für-alle'
    registry = make_registry(**OWN | {"SYSTEM_CLIENT_SECRET": secret})
    forms = [secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]]
    events_service.before_create = lambda: Response(f"token eyJhbGciOi.eyJzdWIi.x {' '.join(forms)}", 400)
    with capture_logs() as logs:
        answer = registry.call()
        events_service.before_create = lambda: None
        registry.call()
    assert answer.status_code == 503
    assert events_service.clients[0].secret == secret
    for text in (repr(logs), answer.text, repr(registry.settings), registry.confirmations_list()):
        assert "cinnamon" not in text
        assert "eyJ" not in text


def test_what_is_not_configured_any_more_is_no_problem(
    make_registry: MakeRegistry, events_service: EventsService
) -> None:
    events_service.add("country-config", ANOTHER_ID)
    registry = make_registry(**OWN)
    registry.call()
    assert registry.mismatch() == 1
    assert make_registry().call().status_code == 501
    assert registry.mismatch() == 0
