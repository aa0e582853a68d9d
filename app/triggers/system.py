"""`/triggers/system/ready`: core says that the system is ready to be set up.

Core 2.0 says so once, from its seeder, and any status but 2xx, 404 and 501 ends the seeding. Core 2.1 also says so at
every start of its events service, up to ten times until it gets one of these, and gives each call 5 seconds.
Source: `triggerSystemReady` in packages/events of core.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import Blueprint, Response, request

from app.access.core_token import Claims
from app.access.gate import Forbidden, Gate
from app.access.scopes import scope_names
from app.http.errors import Refused, because, json_response
from app.opencrvs.version_signs import Sign, VersionSigns
from app.triggers.system_setup import SystemSetup

_SCOPE = "integration.create"


def system_routes(
    gate: Gate, setup: SystemSetup, signs: VersionSigns, admitted: Callable[[str, Claims], None]
) -> Blueprint:
    """GET and POST. 501 where nothing is configured; 200 only if all is set up, else 503 with what failed.

    `admitted` is called with each token that was taken.
    """
    routes = Blueprint("system", __name__)

    @routes.route("/triggers/system/ready", methods=["GET", "POST"])
    @routes.route("/trigger/system/ready", methods=["GET", "POST"])
    def ready() -> Response:
        started_at = time.monotonic()
        token, claims = gate.admit_core(request)
        can_register = _can_register(claims)
        admitted(token, claims)
        signs.record(Sign.READY_WITH_SCOPE if can_register else Sign.READY_WITHOUT_SCOPE)
        if setup.is_empty:
            setup.forget_problems()
            message = "Neither SYSTEM_CLIENT_ID nor INTEGRATIONS nor a rule with @on_system_ready says what to do"
            raise Refused(501, *because("Not implemented", message))
        failures = setup.run(token, can_register=can_register, started_at=started_at)
        if failures:
            details = [{"path": [name] if name else [], "message": message} for name, message in failures]
            raise Refused(503, "Not everything could be set up", details)
        return json_response({})

    return routes


def _can_register(claims: Claims) -> bool:
    """Whether the token can register integrations: from 2.0.1 by its scope. That of 2.0.0 has neither claim.

    Raises Forbidden for any other token, such as that of a logged-in user.
    """
    if _SCOPE in scope_names(claims):
        return True
    if "scope" in claims or "userType" in claims:
        raise Forbidden(f"this is only taken with a token of core's that has the scope {_SCOPE}")
    return False
