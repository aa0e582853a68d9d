"""What callers are answered, and what is in the database by then."""

from __future__ import annotations

import io
import json
import re
import socket
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.database import engine
from app.database.engine import Database
from app.database.tables import deliveries, triggers
from app.encryption import Cipher
from app.http.bodies import LIMIT, LIMIT_FOR_CORE
from app.outbox.states import Priority, State
from app.settings import Settings
from app.triggers.samples import USER_SAMPLES
from tests.triggers.answers import details_of, error_of, rows_kept, shaped
from tests.triggers.serving import Served, served

TWO_FACTOR = "/triggers/user/2fa"
ALERT = {"subject": "s", "html": "<p>h</p>", "from": "a@registry.test", "to": "b@registry.test"}
IS_AN_ID = re.compile("[0-9a-f-]{36}")  # in which any digits may be found by chance
NUMBER = 515_051_505_150
CANARY = f"canary-{NUMBER}"

Make = Callable[[Settings], Flask]
MakeSettings = Callable[..., Settings]


def sent(server: Served, path: str, body: bytes | str, **kwargs: Any) -> TestResponse:
    return server.client.post(path, data=body, **({"content_type": "application/json"} | kwargs))


def last_kept(database: Database, cipher: Cipher) -> tuple[Any, dict[str, Any]]:
    """The newest trigger's row, and its payload with its secrets."""
    with database.reading() as connection:
        row = connection.execute(select(triggers).order_by(triggers.c.id.desc()).limit(1)).one()
    secrets = cipher.decrypt(row.secrets) if row.secrets is not None else {}
    return row, cipher.decrypt(row.payload) | secrets


# --- 200


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
    ],
)
def test_codes_and_passwords_are_kept_apart_from_the_rest(server: Served, name: str, secret: str) -> None:
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
    client = make_app(make_settings(DATABASE_URL=sqlite_url)).test_client()
    for name, sample in USER_SAMPLES.items():
        assert client.post(f"/triggers/user/{name}", json=sample).status_code == 200
    assert client.post("/email", json=ALERT).status_code == 200
    connection = sqlite3.connect(tmp_path / "country-config.db")
    rows = [row for table in ("triggers", "deliveries") for row in connection.execute(f"SELECT * FROM {table}")]  # noqa: S608
    connection.close()
    encrypted = [value for row in rows for value in row if isinstance(value, bytes)]
    assert len(encrypted) == 11 + 7
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


# --- a country's own triggers


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


# --- POST /email


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
    settings = make_settings(DATABASE_URL=database_url, DOMAIN="{{ALERT_EMAIL}}", ALERT_EMAIL="a@registry.test")
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


# --- 400

BAD_JSON = {
    "empty": b"",
    "blanks": b" \n",
    "cut off": b'{"code": "1"',
    "single quotes": b"{'code': '1'}",
    "a comma too many": b'{"code": "1",}',
    "a comment": b'{"code": "1"} // ',
    "two values": b"{}{}",
    "a word": b"undefined",
    "NaN": b'{"code": NaN}',
    "Infinity": b'{"code": Infinity}',
    "-Infinity": b"-Infinity",
    "a number with 5,000 digits": b'{"code": ' + b"7" * 5_000 + b"}",
    "nested 100,000 deep in arrays": b"[" * 100_000,
    "nested 100,000 deep in objects": b'{"a":' * 100_000,
    "nested 100,000 deep and closed": b"[" * 100_000 + b"]" * 100_000,
    "invalid UTF-8": b'{"code": "\xff"}',
    "surrogates in UTF-8": b'{"code": "\xed\xa0\x80"}',
    "UTF-16": '{"code": "1"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a line break in a string": b'{"code": "1\n"}',
    "NUL": b"\0",
    "an unknown escape": b'{"code": "\\x41"}',
    "half an escape": b'{"code": "\\u12"}',
    "a leading zero": b'{"code": 01}',
    "a form": b"code=1&recipient=2",
}


@pytest.mark.parametrize("body", BAD_JSON.values(), ids=BAD_JSON)
@pytest.mark.parametrize("path", [TWO_FACTOR, "/email", "/triggers/hospital/discharge"])
def test_what_is_no_json_is_answered_400(server: Served, path: str, body: bytes) -> None:
    before = rows_kept(server.database)
    answer = sent(server, path, body)
    assert (answer.status_code, error_of(answer)) == (400, "Invalid JSON")
    assert [detail["path"] for detail in details_of(answer)] == [[]]
    assert rows_kept(server.database) == before


def test_bad_json_is_told_by_its_place(server: Served) -> None:
    answer = sent(server, TWO_FACTOR, b'{"code": "1",\n "recipient" {}}')
    assert details_of(answer)[0]["message"] == "Expecting ':' delimiter at line 2, column 14"


def test_a_body_that_breaks_off_is_answered_400(server: Served) -> None:
    answer = sent(server, TWO_FACTOR, b'{"code":', environ_overrides={"CONTENT_LENGTH": "100"})
    assert (answer.status_code, error_of(answer)) == (400, "Invalid JSON")


def test_an_invalid_payload_says_all_that_is_wrong_in_the_order_of_the_schema(server: Served) -> None:
    before = rows_kept(server.database)
    body = {"admin": {"role": 1}, "recipient": {"bcc": ["a", 1, None], "name": {"surname": "s"}, "email": None}}
    answer = server.client.post("/triggers/user/reset-password-by-admin", json=body)
    assert answer.status_code == 400
    assert [detail["path"] for detail in details_of(answer)] == [
        ["recipient", "name", "firstname"],
        ["recipient", "email"],
        ["recipient", "bcc", 1],
        ["recipient", "bcc", 2],
        ["temporaryPassword"],
        ["admin", "id"],
        ["admin", "name"],
        ["admin", "role"],
    ]
    assert rows_kept(server.database) == before


# --- 404, 405, 415


@pytest.mark.parametrize(
    "path",
    ["user/unknown", "user/2FA", "USER/2fa", "nobody/knows", "a/b/c", "user/email", "a/user/2fa", "user/%00", "%ff/x"],
)
@pytest.mark.parametrize("prefix", ["/trigger", "/triggers"])
def test_an_unknown_trigger_is_answered_404_with_the_known_ones(server: Served, prefix: str, path: str) -> None:
    answer = server.client.post(f"{prefix}/{path}", json=USER_SAMPLES["2fa"])
    assert (answer.status_code, error_of(answer)) == (404, "Unknown trigger")
    known = details_of(answer)[0]["message"].partition(": ")[2].split(", ")
    assert known == sorted(["hospital/birth/notice", "hospital/discharge", *(f"user/{name}" for name in USER_SAMPLES)])


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "path",
    ["/nothing", "/triggers", "/triggers/", "/triggers/user", "/triggers/a/b/c/d", f"{TWO_FACTOR}/", "/Ping"],
)
def test_an_unknown_url_is_answered_404(server: Served, method: str, path: str) -> None:
    answer = server.client.open(path, method=method)
    assert (answer.status_code, error_of(answer)) == (404, "Not Found")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])
@pytest.mark.parametrize("path", [TWO_FACTOR, "/trigger/hospital/birth/notice", "/email"])
def test_a_wrong_method_is_answered_405_with_the_right_ones(server: Served, method: str, path: str) -> None:
    answer = server.client.open(path, method=method, json=USER_SAMPLES["2fa"])
    assert (answer.status_code, error_of(answer)) == (405, "Method Not Allowed")
    assert "POST" in answer.headers["Allow"]


def test_ping_is_only_got(server: Served) -> None:
    answer = server.client.post("/ping")
    assert answer.status_code == 405
    shaped(answer)
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "application",
        "json",
        "application/jsonp",
        "; charset=utf-8",
    ],
)
@pytest.mark.parametrize("path", [TWO_FACTOR, "/email"])
def test_what_is_not_sent_as_json_is_answered_415(server: Served, path: str, content_type: str | None) -> None:
    answer = sent(server, path, json.dumps(USER_SAMPLES["2fa"]), content_type=content_type)
    assert (answer.status_code, error_of(answer)) == (415, "Unsupported media type")


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip"])
def test_a_compressed_body_is_answered_415(server: Served, encoding: str) -> None:
    answer = sent(server, TWO_FACTOR, b"\x1f\x8b", headers={"Content-Encoding": encoding})
    assert answer.status_code == 415
    assert "Content-Encoding" in details_of(answer)[0]["message"]


# --- 413


def of_size(size: int) -> bytes:
    body = json.dumps(USER_SAMPLES["2fa"]).encode()
    return body + b" " * (size - len(body))


def test_five_megabytes_are_taken_from_anybody_and_not_a_byte_more(server: Served) -> None:
    assert LIMIT == 5 * 1024 * 1024
    assert sent(server, TWO_FACTOR, of_size(LIMIT)).status_code == 200
    answer = sent(server, TWO_FACTOR, of_size(LIMIT + 1))
    assert (answer.status_code, error_of(answer)) == (413, "Request entity too large")
    assert "5 MB" in details_of(answer)[0]["message"]


def test_core_may_send_more(server: Served) -> None:
    assert sent(server, TWO_FACTOR, of_size(LIMIT + 1), headers=server.as_core()).status_code == 200


@pytest.mark.parametrize(
    ("as_core", "declared", "status"),
    [
        (False, LIMIT, 400),
        (False, LIMIT + 1, 413),
        (True, LIMIT_FOR_CORE, 400),
        (True, LIMIT_FOR_CORE + 1, 413),
        (True, 10**30, 413),
    ],
)
def test_a_declared_length_is_judged_before_the_body_is_read(
    server: Served, as_core: bool, declared: int, status: int
) -> None:
    """The body is two bytes: where its length is acceptable, it ends too early, which is a 400."""
    assert LIMIT_FOR_CORE == 64 * 1024 * 1024
    answer = sent(
        server,
        TWO_FACTOR,
        b"{}",
        headers=server.as_core() if as_core else {},
        environ_overrides={"CONTENT_LENGTH": str(declared)},
    )
    assert answer.status_code == status
    shaped(answer)


def test_a_body_without_a_declared_length_is_read_no_further_than_the_limit(server: Served) -> None:
    body = io.BytesIO(of_size(LIMIT + 1_000_000))
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_TYPE": "application/json"}
    answer = server.client.post(TWO_FACTOR, input_stream=body, environ_overrides=chunked)
    assert (answer.status_code, error_of(answer)) == (413, "Request entity too large")
    assert body.tell() < LIMIT + 1_000_000


def test_a_small_body_needs_no_declared_length(server: Served) -> None:
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_TYPE": "application/json"}
    answer = server.client.post(TWO_FACTOR, input_stream=io.BytesIO(of_size(500)), environ_overrides=chunked)
    assert answer.status_code == 200


# --- 503


def away(answer: TestResponse) -> bool:
    assert (answer.status_code, error_of(answer)) == (503, "Service unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    return True


def test_a_postgresql_that_is_away_is_answered_503(tmp_path: Path, migrated_sqlite: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"postgresql://country:hunter2@127.0.0.1:{port}/country"
    with served(tmp_path, migrated_sqlite, DATABASE_URL=url) as server:
        answer = server.client.post(TWO_FACTOR, json=USER_SAMPLES["2fa"])
        assert away(answer)
        assert "hunter2" not in answer.text
        assert server.client.get("/ping").status_code == 200
        assert server.client.get("/health/live").status_code == 200
        assert server.client.get("/health/ready").status_code == 503


@pytest.mark.parametrize("in_the_way", ["a directory where the file belongs", "a file where its directory belongs"])
def test_an_sqlite_file_that_cannot_be_opened_is_answered_503(
    tmp_path: Path, migrated_sqlite: Path, in_the_way: str
) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").touch()
    path = tmp_path / ("directory" if in_the_way.startswith("a directory") else "file/country.db")
    with served(tmp_path, migrated_sqlite, DATABASE_URL=f"sqlite:///{path}") as server:
        assert away(server.client.post(TWO_FACTOR, json=USER_SAMPLES["2fa"]))


def test_after_a_503_nothing_is_kept_and_the_next_try_is(
    tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "SQLITE_BUSY_TIMEOUT", 0.05)
    with served(tmp_path, migrated_sqlite) as server:
        with server.database.transaction():
            assert away(server.client.post(TWO_FACTOR, json=USER_SAMPLES["2fa"]))
        assert rows_kept(server.database) == 0
        assert server.client.post(TWO_FACTOR, json=USER_SAMPLES["2fa"]).status_code == 200
        assert rows_kept(server.database) == 2


def test_what_is_wrong_is_said_even_when_the_database_is_away(tmp_path: Path, migrated_sqlite: Path) -> None:
    (tmp_path / "directory").mkdir()
    with served(tmp_path, migrated_sqlite, DATABASE_URL=f"sqlite:///{tmp_path / 'directory'}") as server:
        assert server.client.post(TWO_FACTOR, json={}).status_code == 400
        assert server.client.post("/triggers/user/unknown", json={}).status_code == 404


# --- nothing that was sent is quoted


def spoilt(value: Any) -> Iterator[Any]:
    """The value again and again, each time with one of its parts of a wrong type, and the canary in it."""
    for wrong in ([CANARY], {CANARY: CANARY}, NUMBER):
        yield wrong
    if isinstance(value, Mapping):
        for key, inner in value.items():
            for wrong in spoilt(inner):
                yield {**value, key: wrong}
    if isinstance(value, list):
        for index, inner in enumerate(value):
            for wrong in spoilt(inner):
                yield [*value[:index], wrong, *value[index + 1 :]]


def with_canaries(value: Any) -> Any:
    """The same, with the canary in every text."""
    if isinstance(value, str):
        return f"{CANARY}@registry.test"
    if isinstance(value, Mapping):
        return {key: with_canaries(inner) for key, inner in value.items()}
    return [with_canaries(inner) for inner in value]


ALL_BODIES = {f"/triggers/user/{name}": sample for name, sample in USER_SAMPLES.items()} | {
    "/email": ALERT,
    "/triggers/hospital/discharge": {"recipient": USER_SAMPLES["2fa"]["recipient"], "ward": "C", "pin": "9182"},
}


@pytest.mark.parametrize("path", ALL_BODIES)
def test_neither_answer_nor_log_quotes_what_was_sent(
    server: Served, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    said = []
    for body in (with_canaries(ALL_BODIES[path]), *spoilt(with_canaries(ALL_BODIES[path]))):
        answer = server.client.post(path, json=body)
        assert answer.status_code in (200, 400)
        said.append(answer.text + str(answer.headers))
    written = capsys.readouterr()
    assert str(NUMBER) not in "".join(said)
    assert "trigger.received" in written.out + written.err
    assert CANARY not in written.out + written.err


@pytest.mark.parametrize(
    ("path", "kwargs"),
    [
        (TWO_FACTOR, {"data": f'{{"code": "{CANARY}"', "content_type": "application/json"}),
        (TWO_FACTOR, {"data": f'{{"code": {CANARY}}}', "content_type": "application/json"}),
        (TWO_FACTOR, {"data": f'{{"code": "{CANARY}"}}'.encode("utf-16"), "content_type": "application/json"}),
        (TWO_FACTOR, {"data": f'{{"code": "{CANARY}"}}', "content_type": f"text/{CANARY}"}),
        (TWO_FACTOR, {"data": b"{}", "content_type": "application/json", "headers": {"Content-Encoding": CANARY}}),
        (TWO_FACTOR, {"json": {}, "headers": {"Authorization": f"Bearer {CANARY}"}}),
        (TWO_FACTOR, {"json": {}, "headers": {"Authorization": f"Basic {CANARY}"}}),
        (TWO_FACTOR, {"json": {}, "headers": {"X-Forwarded-For": CANARY}}),
        (TWO_FACTOR, {"json": {}, "headers": {"X-Request-ID": f"{CANARY} {CANARY}"}}),
        (TWO_FACTOR, {"json": {}, "query_string": {"code": CANARY}}),
        (f"/triggers/user/{CANARY}", {"json": {}}),
        (f"/triggers/{CANARY}", {"json": {}}),
        (f"/{CANARY}?{CANARY}", {"json": {}}),
    ],
)
def test_no_other_error_quotes_what_was_sent(
    server: Served, capsys: pytest.CaptureFixture[str], path: str, kwargs: dict[str, Any]
) -> None:
    answer = server.client.post(path, **kwargs)
    shaped(answer)
    written = capsys.readouterr()
    assert CANARY not in answer.text + str(answer.headers) + written.out + written.err


# --- X-Request-ID


@pytest.mark.parametrize("sane", ["request-42", "0190B2C4-7f00-7abc-8def-0123456789ab", "a.b_c-D1", "x" * 64])
def test_a_sane_request_id_is_sent_back_and_kept(server: Served, sane: str) -> None:
    answer = server.client.post(TWO_FACTOR, json=USER_SAMPLES["2fa"], headers={"X-Request-ID": sane})
    assert answer.headers["X-Request-ID"] == sane
    assert last_kept(server.database, Cipher(server.settings.secret_keys))[0].request_id == sane


@pytest.mark.parametrize(
    "insane",
    [
        "",
        "short",
        "x" * 65,
        "a b c d e f",
        "<script>alert(1)</script>",
        "request-42;x",
        "réquest-42",
        "request/42!",
        "9" * 999,
    ],
)
def test_an_insane_request_id_is_replaced(server: Served, insane: str) -> None:
    answer = server.client.post(TWO_FACTOR, json=USER_SAMPLES["2fa"], headers={"X-Request-ID": insane})
    assert answer.status_code == 200
    ours = answer.headers["X-Request-ID"]
    assert uuid.UUID(ours).version == 7
    assert last_kept(server.database, Cipher(server.settings.secret_keys))[0].request_id == ours


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing"), ("GET", TWO_FACTOR), ("POST", TWO_FACTOR), ("GET", "/ping")]
)
def test_every_answer_has_a_request_id_of_its_own(server: Served, method: str, path: str) -> None:
    ids = {server.client.open(path, method=method).headers["X-Request-ID"] for _ in range(3)}
    assert len(ids) == 3
    answer = server.client.open(path, method=method, headers={"X-Request-ID": "request-42"})
    assert answer.headers["X-Request-ID"] == "request-42"


# --- 500


def test_an_unforeseen_error_is_answered_500_without_its_message(
    make_app: Make, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError(CANARY)

    app = make_app(settings)
    monkeypatch.setattr(Cipher, "encrypt", crash)
    answer = app.test_client().post(TWO_FACTOR, json=USER_SAMPLES["2fa"])
    assert (answer.status_code, error_of(answer)) == (500, "Internal server error")
    assert CANARY not in answer.text
    assert answer.headers["X-Request-ID"]
