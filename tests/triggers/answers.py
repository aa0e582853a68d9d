"""How the answers of this server are read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.database.engine import Database
from app.database.tables import deliveries, triggers
from app.encryption import Cipher
from tests.triggers.serving import Served


def error_of(answer: TestResponse) -> str:
    """What went wrong, of an answer that has the shape of all errors."""
    return str(shaped(answer)["error"])


def details_of(answer: TestResponse) -> list[dict[str, Any]]:
    return list(shaped(answer)["details"])


def shaped(answer: TestResponse) -> dict[str, Any]:
    """The body of an error."""
    assert answer.status_code >= 400
    assert answer.content_type == "application/json"
    assert answer.json is not None
    assert set(answer.json) == {"error", "details"}
    assert isinstance(answer.json["error"], str)
    assert answer.json["error"]
    for detail in answer.json["details"]:
        assert set(detail) == {"path", "message"}
        assert all(isinstance(step, str | int) for step in detail["path"])
        assert isinstance(detail["message"], str)
    body: dict[str, Any] = answer.json
    return body


def rows_kept(database: Database) -> int:
    """How many triggers and deliveries are in the database."""
    with database.reading() as connection:
        return sum(connection.scalar(select(func.count()).select_from(table)) or 0 for table in (triggers, deliveries))


TWO_FACTOR = "/triggers/user/2fa"
ALERT = {"subject": "s", "html": "<p>h</p>", "from": "a@registry.test", "to": "operators@registry.test"}
ALERT_SETTINGS = {"DOMAIN": "registry.test", "ALERT_EMAIL": "operators@registry.test"}
"""The settings with which ALERT is taken."""


def sent(server: Served, path: str, body: bytes | str, **kwargs: Any) -> TestResponse:
    return server.client.post(path, data=body, **({"content_type": "application/json"} | kwargs))


def last_kept(database: Database, cipher: Cipher) -> tuple[Any, dict[str, Any]]:
    """The newest trigger's row, and its payload with its secrets."""
    with database.reading() as connection:
        row = connection.execute(select(triggers).order_by(triggers.c.id.desc()).limit(1)).one()
    secrets = cipher.decrypt(row.secrets) if row.secrets is not None else {}
    return row, cipher.decrypt(row.payload) | secrets
