"""Twilio's Messages API over real HTTP on the loopback, with Twilio's magic numbers, as its documentation has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

ACCOUNT = "AC" + "0" * 32
TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
KEY = ("SK" + "1" * 32, "an-api-key-secret")
SENDER = "+15005550006"
SID = "SM" + "2" * 32

# https://www.twilio.com/docs/iam/test-credentials: what is answered to whom
MAGIC_RECIPIENTS = {
    "+15005550001": (21211, "The 'To' number +15005550001 is not a valid phone number."),
    "+15005550002": (21612, "The 'To' phone number: +15005550002, is not currently reachable."),
    "+15005550003": (21408, "Permission to send an SMS has not been enabled for the region"),
    "+15005550004": (21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (21614, "To number: +15005550009, is not a mobile number"),
}
MAGIC_SENDERS = {
    "+15005550001": (21212, "The 'From' number +15005550001 is not a valid phone number"),
    "+15005550007": (21606, "The From phone number +15005550007 is not a valid, SMS-capable number"),
    "+15005550008": (21611, "This 'From' number has exceeded the maximum number of queued messages"),
}


@dataclass(frozen=True)
class Canned:
    """An answer that is given whatever was asked."""

    status: int
    body: str | Mapping[str, object]
    headers: Mapping[str, str] | None = None


class TwilioStub:
    """Takes messages of ACCOUNT, keeps their forms in `taken`, and answers `canned` where there is one."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("").rstrip("/")
        self.taken: list[dict[str, str]] = []
        self.asked = 0
        self.canned: Canned | None = None
        path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        server.expect_request(path, method="POST").respond_with_handler(self._create)

    def _create(self, request: Request) -> Response:
        self.asked += 1
        if self.canned is not None:
            return _answer(self.canned)
        login = request.authorization
        given = (login.username, login.password) if login is not None else None
        if given not in ((ACCOUNT, TOKEN), KEY):
            return _refusal(401, 20003, "Authenticate")
        assert request.mimetype == "application/x-www-form-urlencoded"
        form = request.form.to_dict()
        if wrong := MAGIC_SENDERS.get(form.get("From", "")) or MAGIC_RECIPIENTS.get(form["To"]):
            return _refusal(400, *wrong)
        if "From" not in form and "MessagingServiceSid" not in form:
            return _refusal(400, 21603, "A 'From' phone number is required.")
        if "Body" not in form and "ContentSid" not in form:
            return _refusal(400, 21619, "A text message body or media urls must be specified.")
        self.taken.append(form)
        status = "accepted" if "MessagingServiceSid" in form else "queued"
        message = {"sid": SID, "status": status, "to": form["To"], "error_code": None, "account_sid": ACCOUNT}
        return _answer(Canned(201, message))


def _refusal(status: int, code: int, message: str) -> Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return _answer(Canned(status, {"code": code, "message": message, "more_info": more, "status": status}))


def _answer(canned: Canned) -> Response:
    body = canned.body if isinstance(canned.body, str) else json.dumps(canned.body)
    return Response(body, canned.status, dict(canned.headers or {}), content_type="application/json")
