"""The answers that are no success: always JSON of one shape, `{"error": ..., "details": [...]}`.

`details` is a list of `{"path": [...], "message": ...}`. Nothing that the caller sent is quoted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from app.access.gate import Forbidden, Unauthenticated
from app.access.rate_limits import TooManyCalls
from app.database.engine import DatabaseAway, TransactionAbortedError
from app.opencrvs.public_key import KeyUnavailable

log = structlog.get_logger()

RETRY_AFTER = "5"  # seconds
_LONGEST_PATH = 200


class Refused(Exception):
    """A request that is answered with an error of our choosing."""

    def __init__(
        self,
        status: int,
        error: str,
        details: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.details = details
        self.headers = headers or {}

    @property
    def response(self) -> Response:
        return json_response({"error": self.error, "details": list(self.details)}, self.status, self.headers)


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Any JSON value as an answer."""
    body = json.dumps(value, separators=(",", ":")).encode("ascii")
    return Response(body, status, headers, content_type="application/json")


def because(error: str, message: str) -> tuple[str, list[dict[str, Any]]]:
    """The error and details of a problem that concerns the request as a whole."""
    return error, [{"path": [], "message": message}]


def install(app: Flask) -> None:
    """Answer every error in this shape."""

    @app.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        return _said(error)

    @app.errorhandler(Unauthenticated)
    def unauthenticated(error: Unauthenticated) -> Response:
        return _said(Refused(401, *because("Unauthorized", str(error)), {"WWW-Authenticate": "Bearer"}))

    @app.errorhandler(Forbidden)
    def forbidden(error: Forbidden) -> Response:
        return _said(Refused(403, *because("Forbidden", str(error))))

    @app.errorhandler(TooManyCalls)
    def too_many_calls(error: TooManyCalls) -> Response:
        refused = Refused(429, *because("Too many requests", str(error)), {"Retry-After": str(error.retry_after)})
        return _said(refused)

    @app.errorhandler(DatabaseAway)
    def database_away(error: DatabaseAway) -> Response:
        log.error("database.away", reason=str(error), advice="answered 503")
        said = because("Service unavailable", "The database is away: send this again")
        return Refused(503, *said, {"Retry-After": RETRY_AFTER}).response

    @app.errorhandler(TransactionAbortedError)
    def transaction_aborted(error: TransactionAbortedError) -> Response:
        log.warning("transaction.aborted", code=error.code, reason=str(error), advice="answered 503")
        said = because("Service unavailable", "The database ended the transaction: send this again")
        return Refused(503, *said, {"Retry-After": RETRY_AFTER}).response

    @app.errorhandler(KeyUnavailable)
    def key_unavailable(error: KeyUnavailable) -> Response:
        log.error("auth_key.unavailable", reason=str(error), advice="answered 503")
        said = because("Service unavailable", "The key of core's auth service cannot be had, so no token can be judged")
        return Refused(503, *said, {"Retry-After": RETRY_AFTER}).response

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After", "Location")}
        return _said(Refused(error.code or 500, error.name, headers=headers))

    @app.errorhandler(Exception)
    def unforeseen(error: Exception) -> Response:
        log.error("request.crashed", exc_info=error)
        return Refused(500, *because("Internal server error", "The log says more, under this request's id")).response


def _said(refused: Refused) -> Response:
    """The answer, and a line in the log: core ignores most of what it is answered, so an operator must see it."""
    first = refused.details[0] if refused.details else {}
    log.warning(
        "request.refused",
        status=refused.status,
        path=_path(refused),
        caller=request.remote_addr,
        error=refused.error,
        at=".".join(map(str, first.get("path", ()))) or None,
        reason=first.get("message"),
    )
    return refused.response


def _path(refused: Refused) -> str | None:
    if refused.status == 404:  # what is unknown may be anything
        return None
    if request.path.startswith("/receipts/"):  # which ends in a token
        return str(request.url_rule) if request.url_rule is not None else "/receipts/"
    return request.path[:_LONGEST_PATH]
