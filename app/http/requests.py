"""The id of a request, from its header to the last log line of what it caused."""

from __future__ import annotations

import re
from typing import cast

import structlog
from flask import Flask, Response, g, request

from app.database.identifiers import new_id

_HEADER = "X-Request-ID"
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")


def request_id() -> str:
    """The id of the current request: the caller's, where it sent a sane one, or a new one."""
    return cast("str", g.request_id)


def install(app: Flask) -> None:
    """Give every request an id, bind it to the log lines, and send it back."""

    @app.before_request
    def identify() -> None:
        sent = request.headers.get(_HEADER, "")
        g.request_id = sent if _ACCEPTABLE.fullmatch(sent) else new_id()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def send_back(response: Response) -> Response:
        if "request_id" in g:
            response.headers[_HEADER] = g.request_id
        return response
