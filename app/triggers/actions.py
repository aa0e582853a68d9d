"""The route on which core asks about an event action.

Here 400 means that the country rejects. It is said by a decision and by nothing else: what is wrong with the request is
401, 403, 413, 415 or 422, and what is wrong with us is 503.
"""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest

from app.access.action_token import ActionToken, action_token
from app.access.gate import Forbidden, Gate
from app.decisions.confirmer import NO_CREDENTIALS
from app.decisions.decision import Decision
from app.decisions.questions import NEVER, Question
from app.decisions.rulings import Verdict
from app.decisions.service import DecisionService, StillDeciding
from app.decisions.states import DecisionState
from app.http.bodies import LIMIT_FOR_RECORDS, json_bytes, parsed
from app.http.errors import RETRY_AFTER, Refused, because, json_response
from app.http.requests import request_id
from app.opencrvs.version_signs import Sign, VersionSigns
from app.records.actions import NEW_IN_2_1, Action, is_known
from app.records.schema import EventDocument, InvalidDocument, event_document
from app.records.state import NoPendingAction, SeveralPendingActions, pending_action

log = structlog.get_logger()


def action_routes(gate: Gate, service: DecisionService, signs: VersionSigns, *, has_client: bool) -> Blueprint:
    """`POST /trigger(s)/events/{event type}/actions/{action type}`; the action type in any letter case.

    `has_client` says that a system client of ours is configured, with which core 2.1 takes a confirmation.
    """
    routes = Blueprint("actions", __name__)

    @routes.post("/trigger/events/<event_type>/actions/<action_type>")
    @routes.post("/triggers/events/<event_type>/actions/<action_type>")
    def ask(event_type: str, action_type: str) -> Response:
        token, claims = gate.admit_core(request)
        own = action_token(claims)
        if own is None:
            raise Forbidden("the token is not core's for an event action: a user's own confirms nothing here")
        body, document = _asked()
        pending = _pending(document, own)
        _check_path(document, pending, event_type, action_type.upper())
        _record_signs(signs, own, document)
        question = Question(
            document=document,
            pending=pending,
            body=body,
            claims=claims,
            token="" if own.is_service else token,
            expires_at=NEVER if own.is_service and has_client else float(claims["exp"]),
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
        if own.is_service and not has_client and decision.state is DecisionState.DEFERRED:
            log.error("system_client.missing", action_id=decision.action_id, hint=NO_CREDENTIALS)
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
        body = json_bytes(request, LIMIT_FOR_RECORDS)
        return body, event_document(parsed(body))
    except Refused as refused:
        if refused.status != 400:
            raise
        raise Refused(422, refused.error, refused.details, refused.headers) from None
    except BadRequest as error:
        raise Refused(422, error.name) from None
    except InvalidDocument as error:
        raise Refused(422, "Invalid payload", error.problems) from None


def _pending(document: EventDocument, own: ActionToken) -> Action:
    """The action that the token is for: the one that it names, and where it names none, the only one that waits."""
    if own.event_id not in (None, document.id.lower()):
        raise Forbidden("the token is for another event than the payload's")
    named = own.action_id
    meant = named and next((action.id for action in document.actions if action.id.lower() == named), named)
    try:
        return pending_action(document, meant)
    except SeveralPendingActions as error:
        message = f"{len(error.ids)} actions of this event are pending, and the token does not say which one is meant"
        raise Refused(422, "Invalid payload", [{"path": ["actions"], "message": message}]) from None
    except NoPendingAction:
        if named is not None and any(action.status == "Requested" for action in document.actions):
            raise Forbidden("the token is not for a pending action of the payload") from None
        message = "No action of this event is pending"
        raise Refused(422, "Invalid payload", [{"path": ["actions"], "message": message}]) from None


def _record_signs(signs: VersionSigns, own: ActionToken, document: EventDocument) -> None:
    signs.record(Sign.SERVICE if own.is_service else Sign.ACTION_BOUND)
    for action in document.actions:
        if not is_known(action):
            signs.record(Sign.UNKNOWN_ACTION_TYPE, action.type)
        elif action.type in NEW_IN_2_1:
            signs.record(Sign.NEW_ACTION_TYPE, action.type)


def _check_path(document: EventDocument, pending: Action, event_type: str, action_type: str) -> None:
    if document.type != event_type:
        message = "The event type in the path is not that of the payload"
        raise Refused(422, "Invalid payload", [{"path": ["type"], "message": message}])
    if pending.type.upper() != action_type:
        message = f"The action in the path is not the pending one, which is {pending.type}"
        raise Refused(422, "Invalid payload", [{"path": ["actions"], "message": message}])
