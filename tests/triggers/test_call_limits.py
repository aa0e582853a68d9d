"""How often a user's own token may send, over all processes on one database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from app.settings import Settings
from tests.triggers.answers import details_of, error_of, rows_kept
from tests.triggers.production import USER, call
from tests.triggers.serving import Served


@pytest.fixture
def two_processes(
    make_settings: Callable[..., Settings], make_app: Callable[[Settings], Flask], database_url: str
) -> list[Served]:
    """Two applications on one database."""
    settings = make_settings(DATABASE_URL=database_url)
    apps = [make_app(settings), make_app(settings)]
    return [Served(app, settings, app.extensions["database"]) for app in apps]


OWN = ["change-phone-number", "change-email-address", "user-updated"]


def test_a_users_own_token_sends_twenty_messages_an_hour(two_processes: list[Served]) -> None:
    def status(number: int, **claims: Any) -> TestResponse:
        server, name = two_processes[number % 2], OWN[number % 3]
        return call(server, f"/triggers/user/{name}", headers=server.with_claims(**(USER | claims)))

    assert [status(number).status_code for number in range(20)] == [200] * 20
    with capture_logs() as logs:
        refused = [status(number) for number in range(6)]
    for answer in refused:
        assert (answer.status_code, error_of(answer)) == (429, "Too many requests")
        assert 3_500 < int(answer.headers["Retry-After"]) <= 3_600
        assert "20 calls within 60 minutes" in details_of(answer)[0]["message"]
        assert USER["sub"] not in answer.text + str(logs)
    assert rows_kept(two_processes[0].database) == 40
    assert status(1, sub="another").status_code == 200
    assert status(2, scope=["type=user.edit"]).status_code == 200  # an administrator's change of a name


def test_what_is_not_valid_is_not_counted(two_processes: list[Served]) -> None:
    server = two_processes[0]
    for _ in range(25):
        answer = server.client.post("/triggers/user/change-phone-number", json={}, headers=server.with_claims(**USER))
        assert answer.status_code == 400
    assert call(server, "/triggers/user/change-phone-number", headers=server.with_claims(**USER)).status_code == 200
