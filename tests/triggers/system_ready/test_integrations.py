"""The integrations of a country are registered, and the secrets that core tells reach its rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from structlog.testing import capture_logs
from werkzeug import Response

from app.database.tables import integrations
from tests.opencrvs.core_integrations import EventsService
from tests.triggers.system_ready.conftest import OWN, MakeRegistry, Registry

HEALTH_ID = "0d5be0fb-8f1a-4c3f-a9d8-3f5f1f7f2003"
WANTED = json.dumps([{"name": "health", "scopes": ["record.read"]}, {"name": "id", "scopes": ["record.search"]}])
WITH_CREDENTIALS = json.dumps(
    [
        {
            "name": "health",
            "scopes": ["record.read"],
            "credentials": {"clientId": HEALTH_ID, "clientSecret": "health-secret"},
        },
    ]
)


def vault(directory: Path) -> str:
    """Rules that keep secrets as files of a directory."""
    return (
        "from pathlib import Path\nfrom app.country import on_system_ready\n"
        "@on_system_ready\ndef keep_secrets(system):\n"
        "    for integration in system.integrations:\n"
        "        given = system.register(integration)\n"
        f"        if given:\n            Path({str(directory)!r}, integration.name).write_text(given.client_secret)\n"
    )


def stored_secrets(registry: Registry) -> dict[str, Any]:
    with registry.database.reading() as connection:
        return {row.name: row.secrets for row in connection.execute(select(integrations))}


def test_they_are_registered_once_and_their_secrets_kept_nowhere(
    make_registry: MakeRegistry, events_service: EventsService
) -> None:
    registry = make_registry(INTEGRATIONS=WANTED)
    with capture_logs() as logs:
        answers = [registry.call(), registry.call(method="POST")]
    assert [(answer.status_code, answer.json) for answer in answers] == [(200, {}), (200, {})]
    assert [fields["name"] for fields in events_service.created] == ["health", "id"]
    assert all("credentials" not in fields for fields in events_service.created)
    assert stored_secrets(registry) == {"health": None, "id": None}
    assert not any(client.secret in repr(logs) for client in events_service.clients)


def test_with_credentials_of_the_country_core_is_given_these(
    make_registry: MakeRegistry, events_service: EventsService
) -> None:
    registry = make_registry(INTEGRATIONS=WITH_CREDENTIALS, **OWN)
    assert registry.call().status_code == 200
    assert events_service.names() == ["country-config", "health"]
    (health,) = [client for client in events_service.clients if client.name == "health"]
    assert (health.id, health.secret) == (HEALTH_ID, "health-secret")
    assert registry.mismatch("health") == 0


def test_what_failed_is_said_and_tried_again_at_the_next_call(
    make_registry: MakeRegistry, events_service: EventsService
) -> None:
    registry = make_registry(INTEGRATIONS=WANTED, **OWN)
    answers = iter([None, Response("the scope is unknown to operator@registry.test", 400), None])
    events_service.before_create = lambda: next(answers)
    failures = registry.failures()
    assert set(failures) == {"health"}
    assert "core answered 400: the scope is unknown" in failures["health"]
    assert "operator@" not in failures["health"]
    events_service.before_create = lambda: None
    assert registry.call().status_code == 200
    assert [fields["name"] for fields in events_service.created] == ["country-config", "id", "health"]


@pytest.mark.parametrize("body", ["{}", "[]", '{"clientId": 5, "clientSecret": "s", "shaSecret": "s"}', "\x00"])
def test_an_answer_without_credentials_is_said(
    make_registry: MakeRegistry, events_service: EventsService, body: str
) -> None:
    events_service.before_create = lambda: Response(body)
    assert "without clientId" in make_registry(INTEGRATIONS=WITH_CREDENTIALS).failures()["health"]


def test_what_an_operator_deleted_at_core_is_registered_again(
    make_registry: MakeRegistry, events_service: EventsService
) -> None:
    registry = make_registry(INTEGRATIONS=WANTED)
    registry.call()
    events_service.delete("health")
    assert registry.call().status_code == 200
    assert events_service.names() == ["health", "id"]


def test_a_rule_puts_the_secrets_where_it_wants_them(
    make_registry: MakeRegistry, events_service: EventsService, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    rules = (
        "from pathlib import Path\nfrom app.country import Credentials, Integration, on_system_ready\n"
        "@on_system_ready\ndef ready(system):\n"
        f"    mine = Credentials({HEALTH_ID.upper()!r}, 'mine-secret')\n"
        "    given = system.register(Integration('mine', ('record.read',), mine))\n"
        f"    if given:\n        Path({str(kept)!r}).write_text(given.client_id + given.client_secret)\n"
    )
    registry = make_registry(rules)
    with capture_logs() as logs:
        assert registry.call().status_code == 200
    assert kept.read_text() == f"{HEALTH_ID}mine-secret"
    assert "mine-secret" not in repr(logs)
    assert registry.mismatch("mine") == 0


@pytest.mark.parametrize("offers_list", [True, False])
def test_a_rule_that_failed_gets_the_same_secrets_again_and_core_has_each_name_once(
    make_registry: MakeRegistry, events_service: EventsService, tmp_path: Path, offers_list: bool
) -> None:
    events_service.offers_list = offers_list
    directory = tmp_path / "vault"
    registry = make_registry(vault(directory), INTEGRATIONS=WANTED)
    assert "FileNotFoundError" in registry.failures()[""]
    (health,) = events_service.clients
    assert health.secret.encode() not in stored_secrets(registry)["health"]
    directory.mkdir()
    assert registry.call().status_code == 200
    assert events_service.names() == ["health", "id"]
    for client in events_service.clients:
        assert (directory / client.name).read_text() == client.secret
        (directory / client.name).unlink()
    assert stored_secrets(registry) == {"health": None, "id": None}
    assert registry.call().status_code == 200
    assert list(directory.iterdir()) == []


def test_secrets_of_a_client_that_core_has_no_more_are_not_handed_over(
    make_registry: MakeRegistry, events_service: EventsService, tmp_path: Path
) -> None:
    directory = tmp_path / "vault"
    registry = make_registry(vault(directory), INTEGRATIONS=WITH_CREDENTIALS.replace(', "credentials"', ', "not"'))
    registry.call()
    events_service.delete("health")
    events_service.add("health")
    directory.mkdir()
    assert registry.call().status_code == 200
    assert list(directory.iterdir()) == []
    assert stored_secrets(registry) == {"health": None}


def test_where_the_database_goes_away_before_a_secret_is_kept_that_is_said(
    make_registry: MakeRegistry, events_service: EventsService, sqlite_url: str
) -> None:
    registry = make_registry(INTEGRATIONS=WANTED, DATABASE_URL=sqlite_url)

    def rename(old: str, new: str) -> None:
        with registry.database.transaction() as connection:
            connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))

    events_service.before_create = lambda: rename("integrations", "gone")
    with capture_logs() as logs:
        assert registry.call().status_code == 503
    assert "integration.secrets_lost" in [line["event"] for line in logs]
    events_service.before_create = lambda: None
    rename("gone", "integrations")
    assert registry.call().status_code == 200
    assert events_service.names() == ["health", "id"]


def test_a_rule_that_raises_is_503_and_quotes_nothing(make_registry: MakeRegistry) -> None:
    rules = (
        "from app.country import on_system_ready\n@on_system_ready\ndef ready(system):\n    raise ValueError('Amina')\n"
    )
    answer = make_registry(rules).call()
    assert answer.status_code == 503
    assert "Amina" not in answer.text
