"""Core asking about actions, and a country with rules of its own."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app import create_app, create_worker
from app.access import development
from app.database.engine import Database
from app.outbox.worker import Worker
from app.settings import Settings

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
        own = {"eventId": document["id"], "actionId": pending(document)["id"], "userType": "user", "scope": []}
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
