"""Core's seeder says that the system is ready: what the country wants is registered, once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from structlog.testing import capture_logs
from werkzeug import Request, Response
from werkzeug.test import TestResponse

from app.access import development
from app.settings import InvalidSettings, Settings

WANTED = [{"name": "health", "scopes": ["record.read"]}, {"name": "id", "scopes": []}]


class Seeder:
    """A server that core's seeder calls, and core's events service."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    def say_ready(self, method: str = "POST") -> TestResponse:
        token = development.sign(self.settings.instance_dir)
        headers = {"Authorization": f"Bearer {token}"}
        return self.app.test_client().open("/triggers/system/ready", method=method, headers=headers)


class Events:
    """Registers integrations; refuses those in `refused`."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("/events")
        self.registered: list[str] = []
        self.refused: set[str] = set()
        server.expect_request("/events/integrations", method="POST").respond_with_handler(self._register)

    def _register(self, request: Request) -> Response:
        name = (request.json or {})["name"]
        if name in self.refused or not request.headers["Authorization"].startswith("Bearer "):
            return Response("the scope is unknown to operator@registry.test", 400)
        self.registered.append(name)
        given = {"clientId": f"id-{name}", "clientSecret": f"secret-{name}", "shaSecret": f"sha-{name}"}
        return Response(json.dumps(given), content_type="application/json")


@pytest.fixture
def events() -> Iterator[Events]:
    with HTTPServer(host="127.0.0.1") as server:
        yield Events(server)


@pytest.fixture
def make_seeder(
    make_app: Callable[[Settings], Flask], make_settings: Callable[..., Settings], database_url: str, tmp_path: Path
) -> Callable[..., Seeder]:
    def make(rules: str = "", **environ: str) -> Seeder:
        directory = tmp_path / "country"
        directory.mkdir()
        (directory / "rules.py").write_text(rules)
        settings = make_settings(DATABASE_URL=database_url, COUNTRY_DIR=str(directory), **environ)
        return Seeder(make_app(settings), settings)

    return make


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_where_nothing_is_configured_it_is_501(make_seeder: Callable[..., Seeder], method: str) -> None:
    assert make_seeder().say_ready(method).status_code == 501


def test_only_core_may_say_it(make_seeder: Callable[..., Seeder]) -> None:
    assert make_seeder().app.test_client().post("/triggers/system/ready").status_code == 401


def test_the_integrations_are_registered_once_and_their_secrets_kept_nowhere(
    make_seeder: Callable[..., Seeder], events: Events
) -> None:
    seeder = make_seeder(EVENTS_URL=events.url, INTEGRATIONS=json.dumps(WANTED))
    with capture_logs() as logs:
        answers = [seeder.say_ready(), seeder.say_ready("GET")]
    assert [(answer.status_code, answer.json) for answer in answers] == [(200, {}), (200, {})]
    assert events.registered == ["health", "id"]
    assert "secret-" not in repr(logs)


def test_what_failed_is_said_and_tried_again_the_next_time(make_seeder: Callable[..., Seeder], events: Events) -> None:
    seeder = make_seeder(EVENTS_URL=events.url, INTEGRATIONS=json.dumps(WANTED))
    events.refused = {"health"}
    answer = seeder.say_ready()
    assert answer.status_code == 502
    assert answer.json is not None
    (detail,) = answer.json["details"]
    assert detail["path"] == ["health"]
    assert "core answered 400" in detail["message"]
    assert "operator@" not in detail["message"]
    events.refused = set()
    assert seeder.say_ready().status_code == 200
    assert events.registered == ["id", "health"]


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:1"])
def test_without_an_events_service_it_is_502(make_seeder: Callable[..., Seeder], url: str | None) -> None:
    environ = {"EVENTS_URL": url} if url else {}
    assert make_seeder(INTEGRATIONS=json.dumps(WANTED), **environ).say_ready().status_code == 502


def test_a_rule_puts_the_secrets_where_it_wants_them(
    make_seeder: Callable[..., Seeder], events: Events, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    rules = (
        "from pathlib import Path\nfrom app.country import Integration, on_system_ready\n"
        "@on_system_ready\ndef ready(system):\n"
        "    given = system.register(Integration('mine', ('record.read',)))\n"
        f"    if given:\n        Path({str(kept)!r}).write_text(given.client_secret)\n"
    )
    assert make_seeder(rules, EVENTS_URL=events.url).say_ready().status_code == 200
    assert kept.read_text() == "secret-mine"


def test_what_a_rule_lost_the_secrets_of_is_registered_anew(
    make_seeder: Callable[..., Seeder], events: Events, tmp_path: Path
) -> None:
    rules = (
        "from pathlib import Path\nfrom app.country import on_system_ready\n"
        "@on_system_ready\ndef ready(system):\n"
        "    for one in system.integrations:\n"
        "        given = system.register(one)\n"
        f"        if given:\n            Path({str(tmp_path / 'vault')!r}, one.name).write_text(given.client_secret)\n"
    )
    seeder = make_seeder(rules, EVENTS_URL=events.url, INTEGRATIONS=json.dumps(WANTED))
    assert seeder.say_ready().status_code == 502
    (tmp_path / "vault").mkdir()
    assert seeder.say_ready().status_code == 200
    assert events.registered == ["health", "health", "id"]
    assert seeder.say_ready().status_code == 200
    assert len(events.registered) == 3


def test_a_rule_that_raises_is_502_and_quotes_nothing(make_seeder: Callable[..., Seeder]) -> None:
    rules = (
        "from app.country import on_system_ready\n@on_system_ready\ndef ready(system):\n    raise ValueError('Amina')\n"
    )
    answer = make_seeder(rules).say_ready()
    assert answer.status_code == 502
    assert "Amina" not in answer.text


@pytest.mark.parametrize(
    "value",
    [
        "{",
        "5",
        '["a"]',
        '[{"name": "a"}]',
        '[{"name": "a", "scopes": "record.read"}]',
        '[{"name": " ", "scopes": []}]',
        '[{"name": null, "scopes": []}]',
        '[{"name": "a", "scopes": [5]}]',
        '[{"name":"a","scopes":[]},{"name":"a","scopes":[]}]',
    ],
)
def test_integrations_that_are_none_stop_the_start(make_settings: Callable[..., Settings], value: str) -> None:
    with pytest.raises(InvalidSettings, match="INTEGRATIONS"):
        make_settings(INTEGRATIONS=value)
