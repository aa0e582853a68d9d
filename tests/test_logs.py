"""What a log line says, and what it never says."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import structlog
from flask.testing import FlaskClient

from app import logs
from app.settings import Settings

log = structlog.get_logger()
CODE = "730164"
MESSAGE = f"the code {CODE} of Amina does not fit"


Configure = Callable[..., None]
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def configure(make_settings: Callable[..., Settings]) -> Iterator[Configure]:
    """Configures logs for an APP_ENV, and leaves no trace of what is set for the whole process."""
    root = logging.getLogger()
    level = root.level

    def as_in(app_env: str, **environ: str) -> None:
        needed = {
            "AUTH_URL": "http://auth",
            "DOMAIN": "registry.test",
            "LOGIN_URL": "https://login.registry.test",
            "SENDER_EMAIL_ADDRESS": "no-reply@registry.test",
            "SMTP_HOST": "mail",
        }
        logs.configure(make_settings(APP_ENV=app_env, **needed, **environ))

    yield as_in
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    for handler in root.handlers[:]:
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """The events on stderr, which is JSON; nothing may be on stdout."""

    def read() -> list[dict[str, Any]]:
        written = capsys.readouterr()
        assert written.out == ""
        return [json.loads(line) for line in written.err.splitlines()]

    return read


def crash() -> None:
    raise ValueError(MESSAGE)


def test_production_writes_one_json_object_a_line(configure: Configure, lines: Lines) -> None:
    configure("production")
    log.info("trigger.received", path="user/2fa", count=3)
    log.warning("two\nlines")
    first, second = lines()
    assert first.pop("timestamp").endswith("Z")
    assert first == {"event": "trigger.received", "level": "info", "path": "user/2fa", "count": 3}
    assert second["event"] == "two\nlines"


def test_development_writes_for_people(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    configure("development")
    log.info("trigger.received", path="user/2fa", to="amina@sink.test")
    written = capsys.readouterr().err
    assert "trigger.received" in written
    assert "path=user/2fa" in written
    assert "ami***@***.test" in written
    assert not written.startswith("{")


@pytest.mark.parametrize("app_env", ["production", "development"])
@pytest.mark.parametrize(
    "hidden",
    [
        "amina@sink.test",
        "+260977111222",
        "0977111222",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhdXRoIn0.c2lnbmF0dXJl",
    ],
)
def test_addresses_numbers_and_tokens_are_masked_wherever_they_stand(
    configure: Configure, capsys: pytest.CaptureFixture[str], app_env: str, hidden: str
) -> None:
    configure(app_env)
    structlog.contextvars.bind_contextvars(caller=hidden)
    event = f"sent to {hidden}"
    log.error(
        event,
        plain=hidden,
        listed=[hidden, (hidden,)],
        mapped={"to": hidden, hidden: 1},
        error=ValueError(hidden),
    )
    logging.getLogger("a.library").error("sent to %s", hidden)
    written = capsys.readouterr().err
    assert "sent to" in written
    assert hidden not in written


def test_what_operators_look_up_stays_as_it_is(configure: Configure, lines: Lines) -> None:
    configure("production")
    structlog.contextvars.bind_contextvars(request_id="0977111222")
    log.info("x", trigger_id="0190b2c4", delivery_id="12345678901", ms=1234567890, ok=True, nothing=None)
    (line,) = lines()
    assert line["request_id"] == "0977111222"
    assert line["delivery_id"] == "12345678901"
    assert (line["ms"], line["ok"], line["nothing"]) == (1234567890, True, None)


@pytest.mark.parametrize("app_env", ["production", "development"])
def test_an_exception_is_told_by_its_type_and_place_without_its_message(
    configure: Configure, capsys: pytest.CaptureFixture[str], app_env: str
) -> None:
    configure(app_env)
    try:
        crash()
    except ValueError:
        log.exception("delivery.crashed")
    written = capsys.readouterr().err
    assert "builtins.ValueError" in written
    assert "in crash" in written
    assert CODE not in written
    assert "Amina" not in written


def library_logs_in_handler() -> None:
    try:
        crash()
    except ValueError:
        logging.getLogger("a.library").exception("it failed")


def library_logs_afterwards() -> None:
    try:
        crash()
    except ValueError:
        raised = sys.exc_info()
    logging.getLogger("a.library").error("it failed", exc_info=raised)


def ours_logs_afterwards() -> None:
    try:
        crash()
    except ValueError as error:
        raised = error
    log.error("it failed", exc_info=raised)


def the_cause_of_another() -> None:
    try:
        try:
            crash()
        except ValueError as error:
            raise RuntimeError(MESSAGE) from error
    except RuntimeError:
        log.exception("it failed")


@pytest.mark.parametrize(
    ("write", "error"),
    [
        (library_logs_in_handler, "builtins.ValueError"),
        (library_logs_afterwards, "builtins.ValueError"),
        (ours_logs_afterwards, "builtins.ValueError"),
        (the_cause_of_another, "builtins.RuntimeError"),
    ],
)
def test_no_way_of_logging_an_exception_shows_its_message(
    configure: Configure, write: Callable[[], None], error: str, lines: Lines
) -> None:
    configure("production")
    write()
    (line,) = lines()
    assert line["event"] == "it failed"
    assert line["error"] == error
    assert __file__ in line["traceback"]
    assert CODE not in json.dumps(line)


def test_exc_info_without_an_exception_says_nothing(configure: Configure, lines: Lines) -> None:
    configure("production")
    log.error("x", exc_info=True)
    logging.getLogger("a.library").error("y", exc_info=True)
    assert not any("error" in line or "traceback" in line for line in lines())


def test_libraries_are_heard_from_their_warnings_on(configure: Configure, lines: Lines) -> None:
    configure("production")
    logging.getLogger("a.library").info("chatter")
    logging.getLogger("a.library").warning("careful")
    assert [(line["event"], line["level"]) for line in lines()] == [("careful", "warning")]


@pytest.mark.parametrize(("level", "heard"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_log_level_decides_what_is_written(
    configure: Configure, capsys: pytest.CaptureFixture[str], level: str, heard: int
) -> None:
    configure("production", LOG_LEVEL=level)
    for write in (log.debug, log.info, log.warning, log.error):
        write("x")
    assert len(capsys.readouterr().err.splitlines()) == heard


def test_text_that_utf8_cannot_say_is_written_all_the_same(configure: Configure, lines: Lines) -> None:
    configure("production")
    log.info("x", name="\ud800\0")
    (line,) = lines()
    assert line["name"] == "\ud800\0"


@contextmanager
def broken_stderr(why: str) -> Iterator[None]:
    """Not a fixture: pytest puts its own stderr in place again before it calls a test."""
    if why == "the disk is full":
        descriptor = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, descriptor = os.pipe()
        os.close(reader)
    stream = os.fdopen(descriptor, "w", buffering=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        yield
    with suppress(OSError):
        stream.close()


@pytest.mark.parametrize("why", ["nobody reads the pipe", "the disk is full"])
@pytest.mark.parametrize("app_env", ["production", "development"])
def test_a_line_that_cannot_be_written_is_nobodys_error(
    configure: Configure, app_env: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    troubled: list[logging.LogRecord] = []
    monkeypatch.setattr(logging.Handler, "handleError", lambda _, record: troubled.append(record))
    with broken_stderr(why):
        configure(app_env)
        for _ in range(1000):
            log.info("x", filling="the buffers" * 10)
        logging.getLogger("a.library").error("y")
    assert troubled == []


@pytest.mark.parametrize("why", ["nobody reads the pipe", "the disk is full"])
def test_a_trigger_is_kept_and_answered_without_a_log(client: FlaskClient, why: str) -> None:
    with broken_stderr(why):
        answer = client.post(
            "/triggers/user/username-reminder", json={"recipient": {"email": "amina@sink.test"}, "username": "a.mwale"}
        )
    assert answer.status_code == 200
