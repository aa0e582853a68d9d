"""The routes that core and the country call: one view for all triggers, since all are received alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from flask import Blueprint, Response, request
from marshmallow import ValidationError

from app.access.gate import Gate
from app.http.bodies import LIMIT, MEGABYTE, json_body
from app.http.errors import Refused, because, json_response
from app.http.problems import problems
from app.http.requests import request_id
from app.settings import Settings
from app.triggers.admission import Admission
from app.triggers.catalogue import EMAIL, TriggerType
from app.triggers.email_variables import substituted
from app.triggers.infrastructure_alerts import AlertRules
from app.triggers.receiving import Receiver

TELEMETRY = "telemetry"
"""What follows /trigger/ where core 2.1 sends its daily usage counts."""

log = structlog.get_logger()

_ALERT_LIMIT = MEGABYTE  # bytes; escaped as JSON, the longest HTML that is taken has 600 kB


def trigger_routes(
    kinds: Mapping[str, TriggerType], gate: Gate, admission: Admission, receiver: Receiver, settings: Settings
) -> Blueprint:
    """Every trigger, /email and /ping; and TELEMETRY, which is another server's."""
    routes = Blueprint("triggers", __name__)
    alert_rules = AlertRules.from_settings(settings)

    def receive(path: str) -> Response:
        kind = kinds.get(path)
        if kind is None:
            known = ", ".join(sorted(known for known in kinds if known != EMAIL))
            raise Refused(404, "Unknown trigger", [{"path": [], "message": f"The triggers known here are: {known}"}])
        caller = gate.identify(request)
        grant = admission.admit(kind, caller)
        if path == EMAIL:
            body = json_body(request, _ALERT_LIMIT)
            payload: Mapping[str, Any] = alert_rules.check(_valid(kind, substituted(body, settings)))
        else:
            payload = _valid(kind, json_body(request, LIMIT))
        admission.count(grant, caller)
        trigger_id = receiver.keep(kind, payload, request_id())
        log.info("trigger.received", path=path, trigger_id=trigger_id)
        return json_response({})

    @routes.post("/triggers/<resource>/<action>")
    @routes.post("/trigger/<resource>/<action>")
    def trigger(resource: str, action: str) -> Response:
        return receive(f"{resource}/{action}")

    @routes.post("/triggers/<resource>/<subresource>/<action>")
    @routes.post("/trigger/<resource>/<subresource>/<action>")
    def trigger_of_subresource(resource: str, subresource: str, action: str) -> Response:
        return receive(f"{resource}/{subresource}/{action}")

    @routes.post(f"/triggers/{TELEMETRY}")
    @routes.post(f"/trigger/{TELEMETRY}")
    def telemetry() -> Response:
        # Core sends it every hour until somebody takes it, so that it is no warning.
        log.info("telemetry.not_taken", hint="let the proxy send it to the country config server: deploy/nginx.conf")
        message = "Usage counts are taken by the country config server: let the proxy send them there"
        return Refused(404, *because("Not Found", message)).response

    @routes.post("/email")
    def email() -> Response:
        return receive(EMAIL)

    @routes.get("/ping")
    def ping() -> Response:
        return json_response({"success": True})

    return routes


def _valid(kind: TriggerType, body: Any) -> Mapping[str, Any]:
    try:
        payload: Mapping[str, Any] = kind.schema.load(body)
    except ValidationError as error:
        raise Refused(400, "Invalid payload", problems(error.messages)) from None
    return payload
