"""What is answered when something is wrong with us; what was sent is quoted nowhere."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from app.database import engine
from app.encryption import Cipher
from app.settings import Settings
from app.triggers.samples import USER_SAMPLES
from tests.triggers.answers import ALERT, TWO_FACTOR, error_of, rows_kept, shaped
from tests.triggers.serving import Served, served

NUMBER = 515_051_505_150
CANARY = f"canary-{NUMBER}"

Make = Callable[[Settings], Flask]


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
        assert answer.status_code in (200, 400, 403)
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


def test_a_transaction_that_the_database_ended_is_told_apart_from_an_absent_one(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    with served(tmp_path, migrated_sqlite) as server:

        @server.app.get("/deadlock")
        def deadlock() -> str:
            raise engine.TransactionAbortedError(engine.AbortCode.DEADLOCK, "deadlock detected")

        with capture_logs() as logs:
            assert away(server.client.get("/deadlock"))
        assert [(line["event"], line.get("code")) for line in logs if line["log_level"] != "info"] == [
            ("transaction.aborted", "deadlock")
        ]
