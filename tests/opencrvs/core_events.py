"""Core behind its gateway, over real HTTP on the loopback: actions are confirmed, places listed, clients get tokens.

It is core 2.0, and core 2.1 after `upgrade`: each refuses what the real one refuses.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from app.access.scopes import scope_names
from tests.access.tokens import private_key, signed
from tests.opencrvs.core_lists import listed
from tests.opencrvs.core_records import Problem, Records

_STATUSES = {
    "PARSE_ERROR": 400,
    "BAD_REQUEST": 400,
    "UNAUTHORIZED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "CONFLICT": 409,
    "INTERNAL_SERVER_ERROR": 500,
}
CLIENT_SECRET = "the-secret-of-the-client"
CLIENT_SCOPES = ["type=record.action.accept", "type=record.action.reject", "type=record.read"]
_SCOPES_OF_ACTIONS = {"record.confirm-registration", "record.reject-registration"}
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

    Core 2.0 takes any bearer that is no JWT, unless `tokens` says which; of a JWT the claims `exp`, `eventId`,
    `actionId` and `scope` are held against the call, its signature is not. Core 2.1 takes the tokens of `clients` only:
    their scopes by their ids. An event in `assigned` is held by somebody.
    """

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("").rstrip("/")
        self.mood = Mood.WELL
        self.says_nothing = False
        self.is_unreadable = False  # a record is noted as read, and then the reading fails
        self.is_new = False
        self.clients: dict[str, list[str]] = {}
        self.assigned: set[str] = set()
        self.token_lifetime = 600.0
        self.tokens_given = 0
        self.auth_is_away = False
        self._key = private_key("core")
        self._withdrawn: set[str] = set()
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
        server.expect_request("/auth/token", method="POST").respond_with_handler(self._give_token)

    def keep(self, event: Mapping[str, Any]) -> None:
        """Make an event known, an EventDocument with the action that waits for its confirmation."""
        self._records.events[event["id"]] = json.loads(json.dumps(event))
        self._known_before[event["id"]] = len(event["actions"])

    def inserted(self, event_id: str) -> list[dict[str, Any]]:
        """The actions that confirmations have added to an event."""
        actions: list[dict[str, Any]] = self._records.events[event_id]["actions"]
        return actions[self._known_before[event_id] :]

    def upgrade(self) -> None:
        """Be core 2.1 from now on."""
        self.is_new = True

    def downgrade(self) -> None:
        """Be core 2.0 again."""
        self.is_new = False

    def register(self, client_id: str, *scopes: str) -> None:
        """Make a client with the secret `CLIENT_SECRET` and these scopes; without any, those to confirm and to read."""
        self.clients[client_id] = list(scopes) or CLIENT_SCOPES

    def withdraw_tokens(self) -> None:
        """Take no token any more that a client was given until now."""
        self._withdrawn = {"all"}

    def set_status(self, event_id: str, action_id: str, status: str) -> None:
        """Have core hold an action with another status than it had when it asked."""
        for action in self._records.events[event_id]["actions"]:
            if action["id"] == action_id:
                action["status"] = status

    def read_times(self, event_id: str) -> int:
        """How often the event was read: each time is in its history."""
        return sum(action["type"] == "READ" for action in self.inserted(event_id))

    def confirm_elsewhere(self, event_id: str, action_id: str, **action: Any) -> None:
        """Have somebody else confirm an action: `status` and what the accepted action holds."""
        self._records.answer_elsewhere(event_id, action_id, action)

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

    def _give_token(self, request: Request) -> Response:
        """A client credentials grant, as core's auth service answers it."""
        with self._lock:
            if self.auth_is_away:
                return Response("", 503)
            form = request.form
            if set(form) != {"grant_type", "client_id", "client_secret"} or request.args:
                return _json({"error": "invalid_request"}, 400)
            if form["grant_type"] != "client_credentials":
                return _json({"error": "unsupported_grant_type"}, 400)
            scopes = self.clients.get(form["client_id"])
            if scopes is None or form["client_secret"] != CLIENT_SECRET:
                return _json({"error": "invalid_client", "error_description": form["client_secret"]}, 401)
            self.tokens_given += 1
            self._withdrawn = set()
            token = signed(
                self._key,
                sub=form["client_id"],
                userType="system",
                scope=scopes,
                exp=int(time.time() + self.token_lifetime),
                jti=str(self.tokens_given),
            )
            return _json({"access_token": token, "token_type": "Bearer"})

    def _list(self, request: Request) -> Any:
        procedure = request.path.removeprefix("/events/")
        authorization = request.headers.get("Authorization")
        claims = self._claims(authorization or "")
        if procedure == "event.get":
            return self._read(request, claims)
        rows = listed(procedure, request, {"locations.list": self.locations, "administrativeAreas.list": self.areas})
        self.queries.append(Query(procedure, authorization))
        return rows

    def _confirm(self, request: Request) -> dict[str, Any]:
        """The event as it is afterwards, unless core `says_nothing`."""
        procedure = request.path.removeprefix("/events/")
        authorization = request.headers.get("Authorization")
        fields = _fields(request)
        self.calls.append(Call(procedure, fields, authorization))
        claims = self._claims(authorization or "")
        scopes = scope_names(claims)
        if self.is_new:
            verb = procedure.rpartition(".")[2]
            if claims.get("sub") not in self.clients or f"record.action.{verb}" not in scopes:
                raise Problem("FORBIDDEN", "FORBIDDEN")
        elif claims and not ({"eventId", "actionId"} <= claims.keys() and scopes & _SCOPES_OF_ACTIONS):
            raise Problem("FORBIDDEN", "FORBIDDEN")
        if self.is_new and not self._may_see(fields.get("eventId"), claims):
            raise Problem("NOT_FOUND", f"Event not found with ID: {fields.get('eventId')}")
        if fields.get("eventId") in self.assigned:
            raise Problem("CONFLICT", "User is assigned to this event")
        event = self._records.confirm(procedure, fields, claims, is_new=self.is_new)
        return {} if self.says_nothing else event

    def _may_see(self, event_id: Any, claims: Mapping[str, Any]) -> bool:
        """Whether the event's type is among those that the scopes of a client are bound to, where they are."""
        event = self._records.events.get(str(event_id), {})
        bound = [parse_qs(scope)["event"][0].split(",") for scope in claims.get("scope", ()) if "event=" in scope]
        return all(event.get("type") in types for types in bound)

    def _read(self, request: Request, claims: Mapping[str, Any]) -> dict[str, Any]:
        fields = json.loads(request.args["input"])["0"]["json"]
        if "record.read" not in scope_names(claims):
            raise Problem("FORBIDDEN", "FORBIDDEN")
        event = self._records.events.get(fields["eventId"])
        if event is None:
            raise Problem("NOT_FOUND", f"Event not found with ID: {fields['eventId']}")
        self._records.note_reading(event)
        if self.is_unreadable:
            raise Problem("INTERNAL_SERVER_ERROR", "")
        return event

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
        if self._withdrawn and claims.get("sub") in self.clients:
            raise Problem("UNAUTHORIZED", "UNAUTHORIZED")
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
