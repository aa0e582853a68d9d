"""Africa's Talking's bulk SMS over real HTTP on the loopback, as http://docs.africastalking.com/sms/sending has it."""

from __future__ import annotations

import json

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

PATH = "/version1/messaging"
USERNAME = "registry"
KEY = "atsk_0123456789abcdef"


class AfricasTalkingStub:
    """Gives every recipient the `status`, a code and its name, and keeps the forms of what it took in `taken`."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for(PATH)
        self.key = KEY
        self.status = (101, "Success")
        self.taken: list[dict[str, str]] = []
        server.expect_request(PATH, method="POST").respond_with_handler(self._send)

    def _send(self, request: Request) -> Response:
        form = request.form.to_dict()
        if request.headers.get("apiKey") != self.key or form.get("username") != USERNAME:
            return Response("The supplied authentication is invalid", 401, content_type="text/plain")
        assert request.mimetype == "application/x-www-form-urlencoded"
        if request.headers.get("Accept") != "application/json":
            return Response("<AfricasTalkingResponse/>", 201, content_type="application/xml")
        code, name = self.status
        if code < 200:
            self.taken.append(form)
        recipient = {
            "statusCode": code,
            "number": form["to"],
            "status": name,
            "cost": "KES 0.8000" if code < 200 else "0",
            "messageId": "ATXid_7cf1" if code < 200 else "None",
        }
        answer = {"SMSMessageData": {"Message": "Sent to 1/1 Total Cost: KES 0.8000", "Recipients": [recipient]}}
        return Response(json.dumps(answer), 201, content_type="application/json")
