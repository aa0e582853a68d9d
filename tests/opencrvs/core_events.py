"""Core's events service behind its gateway, over real HTTP on the loopback: actions are confirmed, places listed."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import jwt
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.opencrvs.core_lists import listed
from tests.opencrvs.core_records import Problem, Records

_STATUSES = {
    "PARSE_ERROR": 400,
    "BAD_REQUEST": 400,
    "UNAUTHORIZED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "INTERNAL_SERVER_ERROR": 500,
}
_PAGE = "<html><body>The registry is closed for the night</body></html>"


class Mood(Enum):
    """How core answers."""

    WELL = auto()
    AWAY = auto()  # the gateway is there, the events service is not
    FAILING = auto()
    SLOW = auto()  # no answer while the test goes on
    HTML = auto()  # something else answers in its place


@dataclass(frozen=True)
class Call:
    """One confirmation that came, whatever became of it. `fields` are those in superjson's `json`."""

    procedure: str
    fields: Mapping[str, Any]
    authorization: str | None


@dataclass(frozen=True)
class Query:
    """One list that was asked for."""

    procedure: str
    authorization: str | None


class Core:
    """Knows the events it was given by `keep`; remembers the `calls` it looked into, and how often it was `asked`.

    Lists `locations` and `areas`, rows by core's names, and remembers the `queries` that it answered.

    Any bearer will do, unless `tokens` says which. The claims `exp`, `eventId` and `actionId` of one that is a JWT are
    held against the call; its signature is not.
    """

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("").rstrip("/")
        self.mood = Mood.WELL
        self.says_nothing = False
        self.tokens: set[str] | None = None
        self.asked = 0
        self.calls: list[Call] = []
        self.locations: list[Any] = []
        self.areas: list[Any] = []
        self.queries: list[Query] = []
        self._known_before: dict[str, int] = {}
        self._records = Records()
        self._lock = threading.Lock()
        self._over = threading.Event()
        server.expect_request(re.compile("/events/.*"), method="POST").respond_with_handler(self._mutate)
        server.expect_request(re.compile("/events/.*"), method="GET").respond_with_handler(self._query)

    def keep(self, event: Mapping[str, Any]) -> None:
        """Make an event known, an EventDocument with the action that waits for its confirmation."""
        self._records.events[event["id"]] = json.loads(json.dumps(event))
        self._known_before[event["id"]] = len(event["actions"])

    def inserted(self, event_id: str) -> list[dict[str, Any]]:
        """The actions that confirmations have added to an event."""
        actions: list[dict[str, Any]] = self._records.events[event_id]["actions"]
        return actions[self._known_before[event_id] :]

    def end(self) -> None:
        """Let go of what is still waiting for an answer."""
        self._over.set()

    def _mutate(self, request: Request) -> Response:
        return self._respond(request, self._confirm)

    def _query(self, request: Request) -> Response:
        return self._respond(request, self._list)

    def _respond(self, request: Request, do: Callable[[Request], Any]) -> Response:
        with self._lock:
            self.asked += 1
        match self.mood:
            case Mood.AWAY:
                return _json({"statusCode": 502, "error": "Bad Gateway", "message": "connect ECONNREFUSED"}, 502)
            case Mood.FAILING:
                return _error(Problem("INTERNAL_SERVER_ERROR", ""))
            case Mood.HTML:
                return Response(_PAGE, content_type="text/html")
            case Mood.SLOW:
                self._over.wait(10)
                return Response("", 503)
        with self._lock:
            try:
                return _json([{"result": {"data": {"json": do(request)}}}])
            except Problem as problem:
                return _error(problem)

    def _list(self, request: Request) -> list[Any]:
        procedure = request.path.removeprefix("/events/")
        authorization = request.headers.get("Authorization")
        self._claims(authorization or "")
        rows = listed(procedure, request, {"locations.list": self.locations, "administrativeAreas.list": self.areas})
        self.queries.append(Query(procedure, authorization))
        return rows

    def _confirm(self, request: Request) -> dict[str, Any]:
        """The event as it is afterwards, unless core `says_nothing`."""
        procedure = request.path.removeprefix("/events/")
        authorization = request.headers.get("Authorization")
        fields = _fields(request)
        self.calls.append(Call(procedure, fields, authorization))
        event = self._records.confirm(procedure, fields, self._claims(authorization or ""))
        return {} if self.says_nothing else event

    def _claims(self, authorization: str) -> Mapping[str, Any]:
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or not token or (self.tokens is not None and token not in self.tokens):
            raise Problem("UNAUTHORIZED", "UNAUTHORIZED")
        if token.count(".") != 2:
            return {}
        try:
            claims: Mapping[str, Any] = jwt.decode(token, options={"verify_signature": False, "verify_exp": True})
        except jwt.InvalidTokenError as error:
            raise Problem("UNAUTHORIZED", str(error)) from None
        return claims


def _fields(request: Request) -> dict[str, Any]:
    try:
        batch = json.loads(request.get_data())
    except ValueError:
        raise Problem("PARSE_ERROR", "Unexpected token in JSON") from None
    if request.args.to_dict() != {"batch": "1"} or request.mimetype != "application/json":
        raise Problem("BAD_REQUEST", "not a batch of JSON")
    match batch:
        case {"0": {"json": dict(fields), **others}, **rest} if not others and not rest:
            return fields
    raise Problem("BAD_REQUEST", "not superjson")


def _error(problem: Problem) -> Response:
    status = _STATUSES[problem.code]
    message = str(problem) if status < 500 else "Internal server error"  # production core hides the rest
    return _json(
        [{"error": {"json": {"message": message, "data": {"code": problem.code, "httpStatus": status}}}}], status
    )


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


@pytest.fixture(scope="session")
def gateway() -> Iterator[HTTPServer]:
    """What all cores of a run are behind, since a server takes half a second to stop."""
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield server


@pytest.fixture
def core(gateway: HTTPServer) -> Iterator[Core]:
    """Core's events service, which knows no event yet. `core.url` is the GATEWAY_URL."""
    gateway.clear()
    core = Core(gateway)
    yield core
    core.end()
    gateway.check_handler_errors()
