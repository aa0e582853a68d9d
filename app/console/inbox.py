"""The pages of the development inbox: a list, and each message as its reader would see it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Blueprint, Request, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.encryption import UnknownKey
from app.masking import mask_tokens
from app.notifications.inbox import Inbox
from app.notifications.sms.segments import segments

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# The message is shown as a mail client would, and can do nothing: no script, no form, no request of any kind.
MESSAGE_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'self'"
)


def inbox_pages(inbox: Inbox, is_allowed: Callable[[], bool]) -> Blueprint:
    """`is_allowed` is asked before every request, inside of it; when it says no, the answer is 403."""
    pages = Blueprint(
        "inbox", __name__, template_folder="templates", static_folder="static", static_url_path="/console/static"
    )

    @pages.before_request
    def check() -> AnyResponse | None:
        if request.endpoint == "inbox.static" or is_allowed():
            return None
        return _problem(403, "Not from here", "The inbox is only shown to the networks in TRUSTED_NETWORKS.")

    @pages.after_request
    def protect(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        if request.endpoint != "inbox.static":
            response.headers["Cache-Control"] = "no-store"
        return response

    @pages.errorhandler(UnknownKey)
    def unreadable(error: UnknownKey) -> AnyResponse:
        return _problem(500, "The inbox cannot be read", f"{error}. Or clear the inbox.", may_clear=True)

    @pages.get("/inbox")
    def index() -> str:
        return render_template(
            "inbox/index.html",
            messages=inbox.newest(),
            mask_tokens=mask_tokens,
            host=request.host_url,
            ago=_ago,
            utc=_utc,
        )

    @pages.get("/inbox/<delivery_id>")
    def message(delivery_id: str) -> str | AnyResponse:
        found = inbox.get(delivery_id)
        if found is None:
            return _gone()
        return render_template("inbox/message.html", message=found, segments=segments(found.text), ago=_ago, utc=_utc)

    @pages.get("/inbox/<delivery_id>/html")
    def html(delivery_id: str) -> AnyResponse:
        found = inbox.get(delivery_id)
        if found is None or not found.html:
            return _gone()
        return Response(found.html, headers={"Content-Security-Policy": MESSAGE_POLICY})

    @pages.post("/inbox/clear")
    def clear() -> AnyResponse:
        if not _is_same_origin(request):
            return _problem(403, "Not cleared", "The inbox can only be cleared with the button on its own page.")
        inbox.clear()
        return redirect(url_for("inbox.index"), 303)

    return pages


def _problem(status: int, title: str, text: str, *, may_clear: bool = False) -> AnyResponse:
    return make_response(render_template("inbox/problem.html", title=title, text=text, may_clear=may_clear), status)


def _gone() -> AnyResponse:
    return _problem(404, "No such message", "It is not in the inbox, or not any more: somebody may have cleared it.")


def _is_same_origin(request: Request) -> bool:
    """Whether our own page sent the form. Browsers say so, except that some send no Sec-Fetch-Site over plain HTTP."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin", "").partition("://")[2]
    return origin != "" and origin == request.host


def _ago(moment: float) -> str:
    """How long ago `moment` (seconds since 1970) was, in words."""
    seconds = int(time.time() - moment)
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def _utc(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
