"""`POST /email`: alerts of the infrastructure."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from flask import Flask

from app.database.engine import Database
from app.encryption import Cipher
from app.settings import Settings
from tests.triggers.answers import ALERT, details_of, error_of, last_kept, sent
from tests.triggers.serving import Served

Make = Callable[[Settings], Flask]
MakeSettings = Callable[..., Settings]


def test_an_alerts_variables_are_filled_in_everywhere(server: Served) -> None:
    body = {
        "subject": "Disk of {{DOMAIN}}",
        "html": "<p>{{ DOMAIN }} {{ALERT_EMAIL}} {{UNKNOWN}} {{domain}}</p>",
        "from": "{{SENDER_EMAIL_ADDRESS}}",
        "to": "{{ALERT_EMAIL}}",
    }
    assert server.client.post("/email", json=body).status_code == 200
    row, payload = last_kept(server.database, Cipher(server.settings.secret_keys))
    assert row.path == "email"
    assert payload == {
        "subject": "Disk of registry.test",
        "html": "<p>registry.test operators@registry.test {{UNKNOWN}} {{domain}}</p>",
        "from": "Registry <no-reply@registry.test>",
        "to": "operators@registry.test",
    }


def test_what_is_filled_in_is_not_filled_in_again(
    make_app: Make, make_settings: MakeSettings, database: Database, database_url: str, cipher: Cipher
) -> None:
    settings = make_settings(
        DATABASE_URL=database_url,
        DOMAIN="{{ALERT_EMAIL}}",
        ALERT_EMAIL=ALERT["to"],
        SENDER_EMAIL_ADDRESS=ALERT["from"],
    )
    client = make_app(settings).test_client()
    assert client.post("/email", json=ALERT | {"subject": "{{DOMAIN}}"}).status_code == 200
    assert last_kept(database, cipher)[1]["subject"] == "{{ALERT_EMAIL}}"


@pytest.mark.parametrize("name", ALERT)
@pytest.mark.parametrize("wrong", [None, 5, ["{{DOMAIN}}"], {"{{DOMAIN}}": "{{DOMAIN}}"}], ids=json.dumps)
def test_all_of_an_alert_is_text(server: Served, name: str, wrong: object) -> None:
    answer = server.client.post("/email", json=ALERT | {name: wrong})
    assert answer.status_code == 400
    assert [detail["path"] for detail in details_of(answer)] == [[name]]


@pytest.mark.parametrize("name", ALERT)
def test_all_of_an_alert_is_required(server: Served, name: str) -> None:
    answer = server.client.post("/email", json={key: value for key, value in ALERT.items() if key != name})
    assert [detail["path"] for detail in details_of(answer)] == [[name]]


@pytest.mark.parametrize("body", [[], None, "{{DOMAIN}}", 1, {}], ids=json.dumps)
def test_an_alert_is_an_object(server: Served, body: object) -> None:
    assert error_of(sent(server, "/email", json.dumps(body))) == "Invalid payload"
