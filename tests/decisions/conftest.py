"""Core asking about actions, and a country with rules of its own."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import Double, literal, select, update
from werkzeug.test import TestResponse

from app import create_app
from app.access import clients, development
from app.cli import commands
from app.composition.worker import create_worker
from app.database.clock import now
from app.database.engine import Database
from app.database.tables import decisions, deliveries
from app.decisions.alerts import Alerts
from app.encryption import Cipher
from app.outbox.worker import Worker
from app.settings import Settings
from tests.conftest import SECRET_KEY
from tests.opencrvs.core_events import Core

CONFIRMING = ["type=record.confirm-registration", "type=record.reject-registration"]
DEFER = "@on_action('*', '*')\ndef wait(action):\n    return Defer('ask the ministry')\n"

_CONTRACT = Path(__file__).parents[1] / "contract"


def documents() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Event documents of core's own generators, each with its state."""
    with (_CONTRACT / "events.jsonl").open() as events, (_CONTRACT / "event-states.jsonl").open() as states:
        for event, state in zip(events, states, strict=True):
            yield json.loads(event), json.loads(state)


def question(action_type: str, event_type: str = "birth") -> dict[str, Any]:
    """A document with new ids, in which an action of this type is pending."""
    for document, state in documents():
        if document["type"] == event_type and state["pendingType"] == action_type:
            fresh = copy.deepcopy(document)
            fresh["id"] = str(uuid.uuid4())
            for action in fresh["actions"]:
                if action["id"] == state["pendingActionId"]:
                    action["id"] = str(uuid.uuid4())
                    action["transactionId"] = str(uuid.uuid4())
                    action["createdAt"] = "2026-05-01T10:00:00.000Z"
            return fresh
    raise LookupError(f"no {event_type} document waits for {action_type}")


def pending(document: dict[str, Any]) -> dict[str, Any]:
    """Its pending action."""
    answered = {action.get("originalActionId") for action in document["actions"] if action["status"] != "Requested"}
    (found,) = (
        action for action in document["actions"] if action["status"] == "Requested" and action["id"] not in answered
    )
    return dict(found)


class Country:
    """A server with a country's rules, as core sees it, and its worker."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.database: Database = app.extensions["database"]

    def token(self, document: dict[str, Any], **claims: Any) -> str:
        """Core's for the pending action."""
        own = {"eventId": document["id"], "actionId": pending(document)["id"], "userType": "user", "scope": CONFIRMING}
        return development.sign(self.settings.instance_dir, **(own | claims))

    def ask(self, document: dict[str, Any], **claims: Any) -> TestResponse:
        """As core asks."""
        return self.app.test_client().post(
            f"/trigger/events/{document['type']}/actions/{pending(document)['type']}",
            json=document,
            headers={"Authorization": f"Bearer {self.token(document, **claims)}"},
        )


@pytest.fixture
def make_country(
    make_settings: Callable[..., Settings], database_url: str, tmp_path: Path
) -> Iterator[Callable[..., Country]]:
    made: list[Country] = []

    def make(rules: str = "", **environ: str) -> Country:
        directory = tmp_path / f"country-{len(made)}"
        directory.mkdir()
        (directory / "rules.py").write_text(f"from app.country import *\n{rules}")
        settings = make_settings(DATABASE_URL=database_url, COUNTRY_DIR=str(directory), **environ)
        made.append(Country(create_app(settings), settings))
        return made[-1]

    yield make
    for country in made:
        country.database.close()


@pytest.fixture
def make_worker() -> Iterator[Callable[[Country], Worker]]:
    made: list[Worker] = []

    def make(country: Country) -> Worker:
        made.append(create_worker(country.settings))
        return made[-1]

    yield make
    for worker in made:
        worker.close()


class Late:
    """A country that defers everything, its worker, and core."""

    def __init__(self, country: Country, worker: Worker, core: Core) -> None:
        self.country = country
        self.worker = worker
        self.core = core
        self.key = clients.create(country.database, "civil-registry", ["confirmations:write"]).key

    def defer(self, action_type: str = "REGISTER", **claims: Any) -> dict[str, Any]:
        """Have core ask and be told to wait, of a record with a tracking id of its own."""
        document = question(action_type) | {"trackingId": uuid.uuid4().hex[:6].upper()}
        self.core.keep(document)
        assert self.country.ask(document, **claims).status_code == 202
        return document

    def say(self, document: dict[str, Any], verb: str, bearer: str | None = None, **body: Any) -> int:
        return (
            self.country.app.test_client()
            .post(
                f"/confirmations/{pending(document)['id']}/{verb}",
                json=body,
                headers={"Authorization": f"Bearer {bearer or self.key}"},
            )
            .status_code
        )

    def work(self) -> None:
        self.worker.run_until_idle()

    def state(self, document: dict[str, Any]) -> str:
        with self.country.database.reading() as connection:
            return str(
                connection.scalar(select(decisions.c.state).where(decisions.c.action_id == pending(document)["id"]))
            )

    def row(self, document: dict[str, Any]) -> Any:
        """The decision on the pending action, as it is kept."""
        with self.country.database.reading() as connection:
            action_id = pending(document)["id"]
            return connection.execute(select(decisions).where(decisions.c.action_id == action_id)).one()

    def set(self, document: dict[str, Any], **seconds: float) -> None:
        """Change times of the decision, in seconds from now."""
        values = {name: now() + literal(value, Double) for name, value in seconds.items()}
        with self.country.database.transaction() as connection:
            connection.execute(
                update(decisions).where(decisions.c.action_id == pending(document)["id"]).values(**values)
            )

    def alerted(self, document: dict[str, Any]) -> str:
        """For which causes there is an alert about the decision, once the worker has looked."""
        settings = self.country.settings
        address = settings.alert_email
        Alerts(
            self.country.database,
            Cipher([SECRET_KEY]),
            address,
            "inbox" if address else None,
            "en",
            has_client=settings.system_client is not None,
        ).raise_due()
        return str(self.row(document).alerted_for)

    def delivery(self, key: str) -> Any:
        with self.country.database.reading() as connection:
            return connection.execute(select(deliveries).where(deliveries.c.key == key)).one()


@pytest.fixture
def make_late(
    make_country: Callable[..., Country], make_worker: Callable[[Country], Worker], core: Core
) -> Callable[..., Late]:
    def make(rules: str = DEFER, **environ: str) -> Late:
        country = make_country(rules, GATEWAY_URL=core.url, **environ)
        return Late(country, make_worker(country), core)

    return make


@pytest.fixture
def late(make_late: Callable[..., Late]) -> Late:
    return make_late()


@pytest.fixture
def run(late: Late) -> Callable[..., Result]:
    def invoke(*arguments: str) -> Result:
        settings = late.country.settings
        environ = {"APP_ENV": "test", "DATABASE_URL": settings.database_url, "SECRET_KEY": SECRET_KEY}
        return CliRunner().invoke(commands, list(arguments), env=environ)

    return invoke
