"""A server with webhooks, clients of its API, and receivers in another process."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select

from app import create_app
from app.access import clients
from app.composition.worker import create_worker
from app.database.engine import Database
from app.database.tables import deliveries
from app.outbox.worker import Worker
from app.settings import Settings
from tests.cli.processes import LONG_ENOUGH
from tests.decisions.conftest import Country, pending, question

_RECEIVER = Path(__file__).with_name("receiver.py")


class Receiver:
    """What a receiver in another process has got, below a path of the test's own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._own = uuid.uuid4().hex

    def url(self, answer: str = "200", name: str = "") -> str:
        return f"http://127.0.0.1:{self.port}/{answer}/{self._own}{name}"

    def got(self, answer: str = "200", name: str = "") -> list[dict[str, Any]]:
        """The requests, the oldest first: headers with small letters, and the body as text."""
        found = requests.get(
            f"http://127.0.0.1:{self.port}/kept/{answer}/{self._own}{name}", timeout=LONG_ENOUGH
        ).json()
        return [
            {"headers": {key.lower(): value for key, value in one["headers"].items()}, "body": one["body"]}
            for one in found
        ]

    def release(self) -> None:
        """End all that hangs now."""
        requests.get(f"http://127.0.0.1:{self.port}/release", timeout=LONG_ENOUGH)


@pytest.fixture(scope="session")
def receiver_port() -> Iterator[int]:
    with subprocess.Popen([sys.executable, str(_RECEIVER)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.kill()


@pytest.fixture
def receiver(receiver_port: int) -> Receiver:
    return Receiver(receiver_port)


class Api:
    """The API, as one client calls it."""

    def __init__(self, country: Country, key: str) -> None:
        self.country = country
        self.key = key

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer, a TestResponse."""
        headers = {"Authorization": f"Bearer {self.key}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.country.app.test_client().open(path, method=method, json=body, headers=headers)

    def subscribe(self, url: str, *event_types: str, **more: Any) -> dict[str, Any]:
        """A subscription, as it was answered."""
        body = {"url": url, "eventTypes": list(event_types) or ["*"]} | more
        answer = self.call("POST", "/webhooks/subscriptions", body)
        assert answer.status_code == 201, answer.json
        made: dict[str, Any] = answer.json
        return made

    def deliveries(self, subscription: dict[str, Any]) -> list[dict[str, Any]]:
        answer = self.call("GET", f"/webhooks/subscriptions/{subscription['id']}/deliveries")
        assert answer.status_code == 200
        found: list[dict[str, Any]] = answer.json["data"]
        return found


class Hooks:
    """A server with webhooks and its worker."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.country = Country(create_app(settings), settings)
        self.database: Database = self.country.database
        self.worker: Worker = create_worker(settings)

    def client(self, name: str = "pension", *permissions: str) -> Api:
        key = clients.create(self.database, name, list(permissions) or ["webhooks:manage"]).key
        return Api(self.country, key)

    def work(self) -> None:
        self.worker.run_until_idle()

    def register(self, action_type: str = "REGISTER", event_type: str = "birth") -> dict[str, Any]:
        """Core asks about an action, and is answered."""
        document = question(action_type, event_type)
        self.answered: Any = self.country.ask(document)
        return document | {"actionId": pending(document)["id"]}

    def trigger(self, path: str, payload: dict[str, Any]) -> None:
        answer = self.country.app.test_client().post(f"/triggers/{path}", json=payload)
        assert answer.status_code == 200, answer.json

    def states(self) -> list[tuple[str, str | None]]:
        """Of all deliveries to subscriptions: state and reason, the oldest first."""
        statement = select(deliveries.c.state, deliveries.c.reason).where(deliveries.c.channel == "webhook")
        with self.database.reading() as connection:
            return [(row.state, row.reason) for row in connection.execute(statement.order_by(deliveries.c.id))]

    def close(self) -> None:
        self.worker.close()
        self.country.database.close()


@pytest.fixture
def make_hooks(
    make_settings: Callable[..., Settings], database_url: str, tmp_path: Path
) -> Iterator[Callable[..., Hooks]]:
    made: list[Hooks] = []

    def make(rules: str = "", **environ: str) -> Hooks:
        directory = tmp_path / f"country-{len(made)}"
        directory.mkdir()
        (directory / "rules.py").write_text(f"from app.country import *\n{rules}")
        defaults = {
            "DATABASE_URL": database_url,
            "COUNTRY_DIR": str(directory),
            "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
            "WEBHOOK_RETRY_SCHEDULE": "3600,3600",
            "ALERT_EMAIL": "operators@registry.test",
        }
        made.append(Hooks(make_settings(**(defaults | environ))))
        return made[-1]

    yield make
    for hooks in made:
        hooks.close()


@pytest.fixture
def hooks(make_hooks: Callable[..., Hooks]) -> Hooks:
    return make_hooks()
