"""The routes on which other systems accept or reject what was deferred."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import EXCLUDE, Schema, ValidationError, fields
from marshmallow.validate import Length

from app.access import clients
from app.access.clients import Permission
from app.access.gate import Forbidden, Gate, admit_client, bearer
from app.database.audit import Author
from app.database.engine import Database
from app.decisions.additions import UnfitAdditionsError
from app.decisions.confirming import BeingDecided, Confirming, DecidedOtherwise, NoLateReject, TokenDead, UnknownAction
from app.decisions.forms import NoNumber, number_text
from app.decisions.rulings import Ruling, Verdict
from app.decisions.store import Decisions
from app.http.bodies import LIMIT, has_body, json_body
from app.http.errors import RETRY_AFTER, Refused, because, json_response
from app.http.problems import MOST_PROBLEMS, problems
from app.http.requests import request_id


def _says_something(reason: str) -> None:
    if not reason.strip():
        raise ValidationError("Say why: the registrar reads it")


class Acceptance(Schema):
    """POST /confirmations/{action id}/accept."""

    class Meta:
        unknown = EXCLUDE

    registrationNumber = fields.String(validate=Length(1, 200))  # noqa: N815  core's name
    declaration = fields.Dict(keys=fields.String())
    annotation = fields.Dict(keys=fields.String())


class Rejection(Schema):
    """POST /confirmations/{action id}/reject."""

    class Meta:
        unknown = EXCLUDE

    reason = fields.String(required=True, validate=[Length(1, 10_000), _says_something])


def confirmation_routes(gate: Gate, database: Database, confirming: Confirming) -> Blueprint:
    """`POST /confirmations/{action id}/accept` and `/reject`, with an API key or the action's own token.

    202 once it is written down, 404 for an action that core never asked about, 409 where it was decided otherwise,
    422 for what core would not take.
    """
    routes = Blueprint("confirmations", __name__, url_prefix="/confirmations/<action_id>")

    @routes.post("/accept")
    def accept(action_id: str) -> Response:
        by = _admit(gate, database, confirming.decisions, action_id)
        given = _valid(Acceptance()) if has_body(request) else {}
        try:
            number = number_text(given["registrationNumber"]) if "registrationNumber" in given else None
        except NoNumber as error:
            raise Refused(422, "Invalid payload", [{"path": ["registrationNumber"], "message": str(error)}]) from None
        ruling = Ruling(
            Verdict.ACCEPT,
            declaration=given.get("declaration", {}),
            annotation=given.get("annotation"),
            registration_number=number,
        )
        return _resolved(confirming, action_id, ruling, by)

    @routes.post("/reject")
    def reject(action_id: str) -> Response:
        by = _admit(gate, database, confirming.decisions, action_id)
        return _resolved(confirming, action_id, Ruling(Verdict.REJECT, reason=_valid(Rejection())["reason"]), by)

    return routes


def _admit(gate: Gate, database: Database, decisions: Decisions, action_id: str) -> Author:
    """Who it is. A token of core's that is good for longer than the one that is kept takes its place.

    Raises Unauthenticated and Forbidden.
    """
    key = bearer(request)
    if key is not None and key.startswith(clients.PREFIX):
        client = admit_client(database, request, Permission.CONFIRMATIONS_WRITE)
        return Author(f"client {client.name}", request_id())
    token, claims = gate.admit_core(request)
    if str(claims.get("actionId")).lower() != action_id.lower():
        raise Forbidden("the token is for another action")
    decision = decisions.find_by_action(action_id)
    if decision is not None:
        if str(claims.get("eventId")).lower() != decision.event_id.lower():
            raise Forbidden("the token is for another event")
        decisions.keep_token(decision.key, token, claims)
    return Author("core's token", request_id())


def _valid(schema: Schema) -> Mapping[str, Any]:
    try:
        given: Mapping[str, Any] = schema.load(json_body(request, LIMIT))
    except ValidationError as error:
        raise Refused(422, "Invalid payload", problems(error.messages)) from None
    return given


def _resolved(confirming: Confirming, action_id: str, ruling: Ruling, by: Author) -> Response:
    try:
        confirming.resolve(action_id, ruling, by)
    except BeingDecided as error:
        raise Refused(503, *because("Being decided", str(error)), {"Retry-After": RETRY_AFTER}) from None
    except UnknownAction as error:
        raise Refused(404, *because("Unknown action", str(error))) from None
    except DecidedOtherwise as error:
        raise Refused(409, *because("Decided otherwise", str(error))) from None
    except UnfitAdditionsError as error:
        unfit = [{"path": [one.part, one.field], "message": one.message} for one in error.problems[:MOST_PROBLEMS]]
        raise Refused(422, "Invalid payload", unfit) from None
    except (NoLateReject, NoNumber, TokenDead) as error:
        raise Refused(422, *because("Core would not take it", str(error))) from None
    return json_response({}, 202)
