"""What `serve` says once it answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_httpserver import HTTPServer

from app.cli import processes
from app.settings import Settings
from tests.cli.processes import free_port


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("0.0.0.0", "http://localhost:3040"),  # noqa: S104
        ("::", "http://localhost:3040"),
        ("127.0.0.2", "http://127.0.0.2:3040"),
        ("::1", "http://[::1]:3040"),
        ("registry.test", "http://registry.test:3040"),
    ],
)
def test_the_server_is_asked_where_it_listens(make_settings: Callable[..., Settings], host: str, address: str) -> None:
    assert processes._address(make_settings(COUNTRY_CONFIG_HOST=host)) == address


def test_a_server_that_answers_is_announced(
    make_settings: Callable[..., Settings], httpserver: HTTPServer, capsys: pytest.CaptureFixture[str]
) -> None:
    httpserver.expect_request("/ping").respond_with_json({"success": True})
    processes._say_when_ready(
        make_settings(COUNTRY_CONFIG_HOST=httpserver.host, COUNTRY_CONFIG_PORT=str(httpserver.port))
    )
    assert f"Listening on http://{httpserver.host}:{httpserver.port} " in capsys.readouterr().err


def test_nothing_is_said_of_a_server_that_never_answers(
    make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(processes, "_LONGEST_START", 0.2)
    processes._say_when_ready(make_settings(COUNTRY_CONFIG_HOST="127.0.0.1", COUNTRY_CONFIG_PORT=str(free_port())))
    written = capsys.readouterr()
    assert written.err == written.out == ""
