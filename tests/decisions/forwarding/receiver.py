"""A receiver of forwarded documents, over real HTTP on the loopback, and what the outbox says of it."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable
from typing import Any

from pytest_httpserver import HTTPServer
from sqlalchemy import select, update
from werkzeug import Request, Response

from app.database.clock import now
from app.database.tables import deliveries
from tests.decisions.conftest import Country, pending

Behave = Callable[[int], Response]
"""From the number of the request, from 1, to what is answered."""


def always(status: int, body: str = "", **headers: str) -> Behave:
    return lambda _: Response(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


class ForwardReceiver:
    """Keeps all that is posted to its path, and answers as it is told to: 204, unless a test says otherwise."""

    def __init__(self, server: HTTPServer, name: str = "hook") -> None:
        self.url = server.url_for(f"/{name}")
        self.behave: Behave = always(204)
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        server.expect_request(f"/{name}").respond_with_handler(self._take)

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(request.get_data()) for request in self.requests]

    @property
    def ids(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.requests]

    def _take(self, request: Request) -> Response:
        request.get_data()
        with self._lock:
            self.requests.append(request)
            number = len(self.requests)
        return self.behave(number)


def rows(country: Country) -> list[Any]:
    """The deliveries of the channel, the oldest first."""
    with country.database.reading() as connection:
        found = select(deliveries).where(deliveries.c.channel == "forward").order_by(deliveries.c.id)
        return list(connection.execute(found))


def states(country: Country) -> list[tuple[str, str | None]]:
    return [(row.state, row.reason) for row in rows(country)]


def due_now(country: Country) -> None:
    """Whatever waits, waits no more."""
    with country.database.transaction() as connection:
        connection.execute(update(deliveries).where(deliveries.c.state == "queued").values(due_at=now()))


def accepted(document: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The document as the reference forwards it."""
    shape = copy.deepcopy(document)
    action_id = pending(document)["id"]
    (action,) = (action for action in shape["actions"] if action["id"] == action_id)
    action |= {"status": "Accepted"} | more
    return shape
