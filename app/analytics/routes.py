"""`POST /reindex`: core sends all records again, 300 a batch, and sends a batch again where it is not answered 2xx."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from flask import Blueprint, Request, Response, request

from app.access.core_token import Claims, CoreTokens, InvalidToken
from app.access.gate import Forbidden, Unauthenticated, bearer
from app.access.scopes import scope_names
from app.analytics.batches import NotABatch, TooMany, items_of
from app.analytics.marking import MarkingUnavailable
from app.analytics.reindexing import Reindexing
from app.analytics.tables import Unusable
from app.http.bodies import LIMIT_FOR_RECORDS, check_values, json_bytes
from app.http.errors import RETRY_AFTER, Refused, because, json_response

log = structlog.get_logger()

AUDIENCES = ("opencrvs:events-user", "opencrvs:countryconfig-user")
SCOPE = "record.reindex"
MAX_VALUES = 4_000_000  # of a batch; 300 events of 50 MiB have some 3 millions


def reindex_routes(tokens: CoreTokens, reindexing: Reindexing, admitted: Callable[[str, Claims], None]) -> Blueprint:
    """Answered 200 once all that can be written is committed. `tokens` take any of AUDIENCES.

    `admitted` is called with each token that was taken.
    """
    routes = Blueprint("reindex", __name__)

    @routes.post("/reindex")
    def reindex() -> Response:
        admitted(*_admit(tokens, request))
        try:
            body = json_bytes(request, LIMIT_FOR_RECORDS)
            check_values(body, MAX_VALUES)
            report = reindexing.write(items_of(body))
        except NotABatch as error:
            raise Refused(400, *because("Invalid payload", str(error))) from None
        except TooMany as error:
            raise Refused(413, *because("Request entity too large", str(error))) from None
        except (MarkingUnavailable, Unusable) as error:
            log.error("reindex.impossible", reason=str(error), advice="answered 503")
            raise Refused(503, *because("Service unavailable", str(error)), {"Retry-After": RETRY_AFTER}) from None
        report.log()
        return json_response(report.as_json())

    return routes


def _admit(tokens: CoreTokens, asked: Request) -> tuple[str, Claims]:
    """Core's token for a reindex, and its claims. Raises Unauthenticated, Forbidden and KeyUnavailable."""
    token = bearer(asked)
    if token is None:
        raise Unauthenticated("this is only taken with core's token: Authorization: Bearer <token>")
    try:
        claims = tokens.verify(token)
    except InvalidToken as error:
        raise Unauthenticated(str(error)) from None
    if SCOPE not in scope_names(claims):
        raise Forbidden(f"the token does not have the scope {SCOPE}")
    return token, claims
