"""The integrations of core's events service, over real HTTP on the loopback, as its router answers for them."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from app.access.scopes import scope_names

_PATH = "/integrations"


@dataclass(frozen=True)
class Client:
    """A system client of core's."""

    id: str
    name: str
    scopes: tuple[str, ...]
    secret: str


class EventsService:
    """Core 2.1. `offers_list` and `takes_credentials` are False for older ones.

    `before_list` and `before_create` run first where a test sets them; what they return is answered instead.
    """

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("").rstrip("/")
        self.clients: list[Client] = []
        self.created: list[dict[str, Any]] = []
        self.asked = 0
        self.offers_list = True
        self.takes_credentials = True
        self.before_list: Callable[[], Response | None] = lambda: None
        self.before_create: Callable[[], Response | None] = lambda: None
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        server.expect_request(_PATH, method="GET").respond_with_handler(self._list)
        server.expect_request(_PATH, method="POST").respond_with_handler(self._create)

    def add(self, name: str, client_id: str | None = None) -> Client:
        """An integration that somebody has made before."""
        client = Client(client_id or str(uuid.uuid4()), name, ("type=record.read",), str(uuid.uuid4()))
        self.clients.append(client)
        return client

    def delete(self, name: str) -> None:
        """What an operator does on core's Integrations page."""
        self.clients = [client for client in self.clients if client.name != name]

    def names(self) -> list[str]:
        return sorted(client.name for client in self.clients)

    def hang(self) -> Response:
        """No answer while the test goes on."""
        self._is_over.wait(10)
        return Response("", 503)

    def wait(self, seconds: float) -> bool:
        """Whether the test is over, after these seconds at most."""
        return self._is_over.wait(seconds)

    def end(self) -> None:
        """Let go of what still waits for an answer."""
        self._is_over.set()

    def _list(self, request: Request) -> Response:
        with self._lock:
            self.asked += 1
        if not self.offers_list:
            return _problem(404, "NOT_FOUND")
        refused = _refused(request) or self.before_list()
        if refused is not None:
            return refused
        with self._lock:
            return _json(
                [
                    {
                        "id": client.id,
                        "name": client.name,
                        "scopes": client.scopes,
                        "status": "active",
                        "createdAt": "2026-11-02T10:00:00.000Z",
                        "createdBy": str(uuid.uuid4()),
                    }
                    for client in self.clients
                ]
            )

    def _create(self, request: Request) -> Response:
        with self._lock:
            self.asked += 1
        refused = _refused(request) or self.before_create()
        if refused is not None:
            return refused
        fields = request.get_json()
        if not _is_valid(fields):
            return _problem(400, "BAD_REQUEST")
        credentials = fields.get("credentials") if self.takes_credentials else None
        with self._lock:
            client_id = credentials["clientId"].lower() if credentials else str(uuid.uuid4())
            if client_id in {client.id for client in self.clients}:
                return _problem(409, "CONFLICT")
            secret = credentials["clientSecret"] if credentials else str(uuid.uuid4())
            self.clients.append(Client(client_id, fields["name"], tuple(fields["scopes"]), secret))
            self.created.append(fields)
        return _json({"clientId": client_id, "clientSecret": secret, "shaSecret": str(uuid.uuid4())})


def _refused(request: Request) -> Response | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer":
        return _problem(401, "UNAUTHORIZED")
    claims = jwt.decode(token, options={"verify_signature": False})
    if "scope" not in claims or "userType" not in claims:
        return _problem(401, "UNAUTHORIZED")
    return None if "integration.create" in scope_names(claims) else _problem(403, "FORBIDDEN")


def _is_valid(fields: Any) -> bool:
    match fields:
        case {"name": str(name), "scopes": [_, *_] as scopes} if name and all(isinstance(one, str) for one in scopes):
            pass
        case _:
            return False
    match fields.get("credentials"):
        case None:
            return True
        case {"clientId": str(client_id), "clientSecret": str(secret)} if secret:
            return str(uuid.UUID(client_id)) == client_id.lower()
    return False


def _problem(status: int, code: str) -> Response:
    return _json({"message": code, "code": code}, status)


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


@pytest.fixture
def events_service(gateway: HTTPServer) -> Iterator[EventsService]:
    """Core 2.1's, which has no integrations yet. `events_service.url` is the EVENTS_URL."""
    gateway.clear()
    service = EventsService(gateway)
    yield service
    service.end()
    gateway.check_handler_errors()
