"""The route on which core asks about an event action.

Here 400 means that the country rejects. It is said by a decision and by nothing else: what is wrong with the request is
401, 403, 413, 415 or 422, and what is wrong with us is 503.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest

from app.access.gate import Forbidden, Gate
from app.decisions.decision import Decision
from app.decisions.questions import Question
from app.decisions.rulings import Verdict
from app.decisions.service import DecisionService, StillDeciding
from app.decisions.states import DecisionState
from app.http.bodies import LIMIT_FOR_CORE, json_bytes, parsed
from app.http.errors import RETRY_AFTER, Refused, because, json_response
from app.http.requests import request_id
from app.records.actions import Action
from app.records.schema import EventDocument, InvalidDocument, event_document
from app.records.state import NoPendingAction, pending_action

log = structlog.get_logger()


def action_routes(gate: Gate, service: DecisionService) -> Blueprint:
    """`POST /trigger(s)/events/{event type}/actions/{action type}`; the action type in any letter case."""
    routes = Blueprint("actions", __name__)

    @routes.post("/trigger/events/<event_type>/actions/<action_type>")
    @routes.post("/triggers/events/<event_type>/actions/<action_type>")
    def ask(event_type: str, action_type: str) -> Response:
        token, claims = gate.admit_core(request)
        body, document = _asked()
        pending = _pending(document, claims)
        _check_path(document, pending, event_type, action_type.upper())
        question = Question(
            document=document,
            pending=pending,
            body=body,
            claims=claims,
            token=token,
            path=f"events/{event_type}/actions/{pending.type}",
            request_id=request_id(),
        )
        try:
            decision = service.decide(question)
        except StillDeciding:
            said = because("Service unavailable", "The same question is being decided by another process")
            raise Refused(503, *said, {"Retry-After": RETRY_AFTER}) from None
        log.info(
            "action.answered",
            event_id=decision.event_id,
            action_id=decision.action_id,
            action_type=decision.action_type,
            state=decision.state,
        )
        return answer(decision)

    return routes


def answer(decision: Decision) -> Response:
    """What core is told: 200, 400 or 202."""
    if decision.state in (DecisionState.DEFERRED, DecisionState.CONFIRMING, DecisionState.REFUSED):
        return json_response({}, 202)
    if decision.verdict is Verdict.REJECT:
        return json_response({"reason": decision.reason}, 400)
    return json_response(decision.answer)


def _asked() -> tuple[bytes, EventDocument]:
    """The body and what it says. Whatever is wrong with it, core is never told 400."""
    try:
        body = json_bytes(request, LIMIT_FOR_CORE)
        return body, event_document(parsed(body))
    except Refused as refused:
        if refused.status != 400:
            raise
        raise Refused(422, refused.error, refused.details, refused.headers) from None
    except BadRequest as error:
        raise Refused(422, error.name) from None
    except InvalidDocument as error:
        raise Refused(422, "Invalid payload", error.problems) from None


def _pending(document: EventDocument, claims: Mapping[str, Any]) -> Action:
    """The action that the token is for. A token without the claims of an action is for none."""
    if str(claims.get("eventId")).lower() != document.id.lower():
        raise Forbidden("the token is for another event than the payload's")
    named = str(claims.get("actionId")).lower()
    meant = next((action.id for action in document.actions if action.id.lower() == named), named)
    try:
        pending = pending_action(document, meant)
    except NoPendingAction:
        if any(action.status == "Requested" for action in document.actions):
            raise Forbidden("the token is not for a pending action of the payload") from None
        message = "No action of this event is pending"
        raise Refused(422, "Invalid payload", [{"path": ["actions"], "message": message}]) from None
    return pending


def _check_path(document: EventDocument, pending: Action, event_type: str, action_type: str) -> None:
    if document.type != event_type:
        message = "The event type in the path is not that of the payload"
        raise Refused(422, "Invalid payload", [{"path": ["type"], "message": message}])
    if pending.type != action_type:
        message = f"The action in the path is not the pending one, which is {pending.type}"
        raise Refused(422, "Invalid payload", [{"path": ["actions"], "message": message}])
