"""Infobip's SMS API of version 2 over real HTTP on the loopback: messages are taken, and logged."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

PATH = "/sms/2/text/advanced"
KEY = "8b1c2d3e4f5a6b7c-a-key"
PENDING = {
    "groupId": 1,
    "groupName": "PENDING",
    "id": 26,
    "name": "PENDING_ACCEPTED",
    "description": "Message sent to next instance",
}
DELIVERED = {
    "groupId": 3,
    "groupName": "DELIVERED",
    "id": 5,
    "name": "DELIVERED_TO_HANDSET",
    "description": "Message delivered to handset",
}


def rejected(name: str, number: int = 6, description: str = "a description") -> dict[str, Any]:
    return {"groupId": 5, "groupName": "REJECTED", "id": number, "name": name, "description": description}


@dataclass
class Logged:
    """One message that was submitted, under Infobip's own id where it was given none."""

    message_id: str
    status: dict[str, Any]
    message: dict[str, Any]


@dataclass
class InfobipStub:
    """Gives messages the `status`, keeps them in `log`, and refuses an id that it has had before."""

    server: HTTPServer
    status: dict[str, Any] = field(default_factory=lambda: dict(PENDING))
    log: list[Logged] = field(default_factory=list)
    canned: Response | None = None
    canned_logs: Response | None = None
    loses_answers: bool = False

    def __post_init__(self) -> None:
        self.url = self.server.url_for(PATH)
        self.server.expect_request(PATH, method="POST").respond_with_handler(self._send)
        self.server.expect_request("/sms/1/logs", method="GET").respond_with_handler(self._logs)

    def _send(self, request: Request) -> Response:
        if self.canned is not None:
            return self.canned
        if request.headers.get("Authorization") != f"App {KEY}":
            return unauthorized()
        assert request.mimetype == "application/json"
        (message,) = json.loads(request.get_data())["messages"]
        (destination,) = message["destinations"]
        assert destination["to"].isdecimal()
        message_id = destination.get("messageId") or f"infobip-{len(self.log)}"
        if any(logged.message_id == message_id for logged in self.log):
            status = rejected("REJECTED_DUPLICATE_MESSAGE_ID", 23)
        else:
            status = self.status
            self.log.append(Logged(message_id, status, message))
        if self.loses_answers:
            return Response("", 502)
        told = {"to": destination["to"], "status": status, "messageId": message_id}
        return _json({"bulkId": "2034072219640523072", "messages": [told]})

    def _logs(self, request: Request) -> Response:
        if self.canned_logs is not None:
            return self.canned_logs
        if request.headers.get("Authorization") != f"App {KEY}":
            return unauthorized()
        found = [logged for logged in self.log if logged.message_id == request.args["messageId"]]
        return _json({"results": [{"messageId": one.message_id, "status": one.status} for one in found]})


def unauthorized() -> Response:
    problem = {"messageId": "UNAUTHORIZED", "text": "Invalid login details"}
    return _json({"requestError": {"serviceException": problem}}, 401)


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
