"""What callers are answered, and what is in the database by then."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.database.engine import Database
from app.database.tables import deliveries
from app.encryption import Cipher
from app.outbox.states import Priority, State
from app.settings import Settings
from app.triggers.samples import USER_SAMPLES
from tests.triggers.answers import ALERT, ALERT_SETTINGS, TWO_FACTOR, details_of, error_of, last_kept, sent
from tests.triggers.serving import Served

IS_AN_ID = re.compile("[0-9a-f-]{36}")  # in which any digits may be found by chance

Make = Callable[[Settings], Flask]
MakeSettings = Callable[..., Settings]


@pytest.mark.parametrize("name", USER_SAMPLES)
def test_a_user_trigger_is_answered_200_when_it_is_in_the_database(
    make_app: Make, make_settings: MakeSettings, database: Database, database_url: str, cipher: Cipher, name: str
) -> None:
    client = make_app(make_settings(DATABASE_URL=database_url)).test_client()
    answer = client.post(f"/triggers/user/{name}", json=USER_SAMPLES[name], headers={"X-Request-ID": "request-42"})
    assert (answer.status_code, answer.json, answer.content_type) == (200, {}, "application/json")

    row, payload = last_kept(database, cipher)
    assert payload == USER_SAMPLES[name]
    assert (row.path, row.request_id, row.erased_at) == (f"user/{name}", "request-42", None)
    with database.reading() as connection:
        (owed,) = connection.execute(select(deliveries))
    assert (owed.trigger_id, owed.key, owed.channel, owed.state) == (row.id, "plan", "plan", State.QUEUED)
    assert (owed.attempts, owed.payload, owed.recipient) == (0, None, None)


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("user-created", "temporaryPassword"),
        ("resend-invite", "temporaryPassword"),
        ("reset-password-by-admin", "temporaryPassword"),
        ("reset-password", "code"),
        ("2fa", "code"),
        ("change-phone-number", "code"),
        ("change-email-address", "code"),
        ("password-reset-link", "token"),
        ("username-reminder-link", "token"),
    ],
)
def test_codes_passwords_and_tokens_are_kept_apart_from_the_rest(server: Served, name: str, secret: str) -> None:
    assert server.client.post(f"/triggers/user/{name}", json=USER_SAMPLES[name]).status_code == 200
    cipher = Cipher(server.settings.secret_keys)
    row, _ = last_kept(server.database, cipher)
    assert cipher.decrypt(row.secrets) == {secret: USER_SAMPLES[name][secret]}
    assert secret not in cipher.decrypt(row.payload)


@pytest.mark.parametrize("name", ["user-updated", "username-reminder", "all-user-notification"])
def test_what_has_no_secret_has_none_to_erase(server: Served, name: str) -> None:
    assert server.client.post(f"/triggers/user/{name}", json=USER_SAMPLES[name]).status_code == 200
    row, _ = last_kept(server.database, Cipher(server.settings.secret_keys))
    assert row.secrets is None


def test_the_database_holds_nothing_in_clear(
    make_app: Make, make_settings: MakeSettings, sqlite_url: str, tmp_path: Path
) -> None:
    client = make_app(make_settings(DATABASE_URL=sqlite_url, **ALERT_SETTINGS)).test_client()
    for name, sample in USER_SAMPLES.items():
        assert client.post(f"/triggers/user/{name}", json=sample).status_code == 200
    assert client.post("/email", json=ALERT).status_code == 200
    connection = sqlite3.connect(tmp_path / "country-config.db")
    rows = [row for table in ("triggers", "deliveries") for row in connection.execute(f"SELECT * FROM {table}")]  # noqa: S608
    connection.close()
    encrypted = [value for row in rows for value in row if isinstance(value, bytes)]
    assert len(encrypted) == 13 + 9
    texts = [
        value.encode() for row in rows for value in row if isinstance(value, str) and not IS_AN_ID.fullmatch(value)
    ]
    kept = b"\n".join([*encrypted, *texts])
    for said in texts_in([*USER_SAMPLES.values(), ALERT]):
        assert len(said) < 5 or said.encode() not in kept


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)


def test_only_what_must_be_recognised_again_has_a_fingerprint(server: Served) -> None:
    cipher = Cipher(server.settings.secret_keys)
    fingerprints = []
    for name in ("all-user-notification", "all-user-notification", "2fa"):
        server.client.post(f"/triggers/user/{name}", json=USER_SAMPLES[name])
        fingerprints.append(last_kept(server.database, cipher)[0].fingerprint)
    assert fingerprints[0] == fingerprints[1]
    assert fingerprints[0] is not None
    assert fingerprints[2] is None


@pytest.mark.parametrize(
    ("path", "body", "priority"),
    [
        ("/triggers/user/2fa", USER_SAMPLES["2fa"], Priority.OTP),
        ("/triggers/user/change-email-address", USER_SAMPLES["change-email-address"], Priority.OTP),
        ("/trigger/user/password-reset-link", USER_SAMPLES["password-reset-link"], Priority.OTP),
        ("/trigger/user/username-reminder-link", USER_SAMPLES["username-reminder-link"], Priority.OTP),
        ("/triggers/user/user-created", USER_SAMPLES["user-created"], Priority.TRANSACTIONAL),
        ("/triggers/user/all-user-notification", USER_SAMPLES["all-user-notification"], Priority.TRANSACTIONAL),
        ("/email", ALERT, Priority.TRANSACTIONAL),
    ],
)
def test_what_somebody_waits_for_is_planned_first(
    server: Served, path: str, body: dict[str, Any], priority: Priority
) -> None:
    assert server.client.post(path, json=body).status_code == 200
    with server.database.reading() as connection:
        newest = select(deliveries.c.priority).order_by(deliveries.c.id.desc()).limit(1)
        assert connection.scalar(newest) == priority


@pytest.mark.parametrize(
    "text", ["\ud800", "a\udc00b", "\0", "Nguyễn 漢 🙂", "x" * 100_000], ids=lambda text: ascii(text)[:12]
)
def test_any_text_that_core_allows_is_kept_as_it_was(
    make_app: Make, make_settings: MakeSettings, database: Database, database_url: str, cipher: Cipher, text: str
) -> None:
    client = make_app(make_settings(DATABASE_URL=database_url)).test_client()
    body = {"recipient": {"email": text, "name": {"firstname": text, "surname": text}}, "code": text}
    answer = client.post(TWO_FACTOR, data=json.dumps(body), content_type="application/json")
    assert answer.status_code == 200
    assert last_kept(database, cipher)[1] == body


def test_keys_that_nobody_knows_are_not_kept(server: Served) -> None:
    body = {"recipient": {"email": "a@b.test", "shoe": 43}, "code": "1", "extra": {"deep": [None]}}
    assert server.client.post(TWO_FACTOR, json=body).status_code == 200
    _, payload = last_kept(server.database, Cipher(server.settings.secret_keys))
    assert payload == {"recipient": {"email": "a@b.test"}, "code": "1"}


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"])
@pytest.mark.parametrize("prefix", ["/trigger", "/triggers"])
def test_both_prefixes_are_served_with_any_kind_of_json(server: Served, prefix: str, content_type: str) -> None:
    body = json.dumps(USER_SAMPLES["2fa"])
    assert sent(server, f"{prefix}/user/2fa", body, content_type=content_type).status_code == 200


def test_ping_says_what_core_expects(server: Served) -> None:
    answer = server.client.get("/ping")
    assert (answer.status_code, answer.json) == (200, {"success": True})


@pytest.mark.parametrize("prefix", ["/trigger", "/triggers"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("hospital/discharge", {"recipient": {"mobile": "0977111222"}, "ward": "C", "pin": "9182"}),
        ("hospital/birth/notice", {"recipient": {}, "mother": "Amina"}),
    ],
)
def test_a_countrys_own_trigger_is_kept_like_cores(
    server: Served, prefix: str, path: str, body: dict[str, Any]
) -> None:
    assert server.client.post(f"{prefix}/{path}", json=body | {"unknown": 1}).status_code == 200
    row, payload = last_kept(server.database, Cipher(server.settings.secret_keys))
    assert row.path == path
    assert payload == body


def test_the_secrets_of_a_countrys_own_trigger_are_kept_apart(server: Served) -> None:
    server.client.post("/triggers/hospital/discharge", json={"recipient": {}, "ward": "C", "pin": "9182"})
    cipher = Cipher(server.settings.secret_keys)
    row, _ = last_kept(server.database, cipher)
    assert (cipher.decrypt(row.secrets), cipher.decrypt(row.payload)) == (
        {"pin": "9182"},
        {"recipient": {}, "ward": "C"},
    )


def test_dates_and_decimals_of_a_country_are_kept_as_they_were_sent(server: Served) -> None:
    body = {"recipient": {}, "ward": "C", "on": "2026-11-21", "weight": "3.50", "notes": [None, 1.5], "tags": {"a": 1}}
    assert server.client.post("/triggers/hospital/discharge", json=body).status_code == 200
    assert last_kept(server.database, Cipher(server.settings.secret_keys))[1] == body


@pytest.mark.parametrize(
    ("path", "body", "first"),
    [
        ("hospital/discharge", {"recipient": {}}, ["ward"]),
        ("hospital/discharge", {"ward": "C"}, ["recipient"]),
        ("hospital/discharge", {"recipient": {"email": None}, "ward": "C"}, ["recipient", "email"]),
        ("hospital/discharge", {"recipient": {}, "ward": "C", "on": "yesterday"}, ["on"]),
        ("hospital/discharge", {"recipient": {}, "ward": "C", "tags": {"a": "b"}}, ["tags", "a", "value"]),
        ("hospital/birth/notice", [], []),
    ],
)
def test_a_countrys_own_schema_is_held(server: Served, path: str, body: Any, first: list[str]) -> None:
    answer = server.client.post(f"/triggers/{path}", json=body)
    assert (answer.status_code, error_of(answer)) == (400, "Invalid payload")
    assert details_of(answer)[0]["path"] == first


def test_nesting_at_the_edge_of_what_can_be_read_is_kept_or_refused(server: Served) -> None:
    statuses = set()
    for depth in range(900, 1_000, 3):
        body = '{"recipient":{},"ward":"C","notes":' + "[" * depth + "]" * depth + "}"
        statuses.add(sent(server, "/triggers/hospital/discharge", body).status_code)
    assert statuses == {200, 400}
