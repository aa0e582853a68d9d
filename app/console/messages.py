"""The pages of the messages: a list, and each as its reader would get it, with what is wrong and where to mend it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from flask import Blueprint, Response, current_app, make_response, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.console import frames, message_groups
from app.console.inbox import PAGE_POLICY
from app.notifications.catalogue import INFORMANT_MESSAGES
from app.notifications.checks.problems import Problem, Severity
from app.notifications.previews import files
from app.notifications.previews.current import Previews, Snapshot
from app.notifications.previews.making import Broken

# As the other pages; the script asks whether a file has changed.
POLICY = f"{PAGE_POLICY}; script-src 'self'; connect-src 'self'"
# As in the inbox, except that the page around may measure how tall the message is.
MESSAGE_POLICY = (
    "sandbox allow-same-origin; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "frame-ancestors 'self'"
)
_INNER = frozenset({"unnamed", "news"})  # variables that choose words, and are none to be said
_PAGES = {"inbox.index": "Inbox", "messages.index": "Messages"}


@dataclass(frozen=True)
class View:
    """How a message is looked at: in which languages (several in one), with which values, in which colours."""

    name: str
    languages: tuple[str, ...]
    long: bool = False
    dark: bool = False

    def address(self, endpoint: str = ".message") -> str:
        return url_for(
            endpoint,
            name=self.name,
            language=",".join(self.languages),
            values="long" if self.long else None,
            colours="dark" if self.dark else None,
        )

    def but(self, **changed: object) -> View:
        return replace(self, **changed)  # type: ignore[arg-type]


class _NotThere(Exception):
    """There is no such message, or it has no such language. The text says what there is."""


def message_pages(previews: Previews, is_allowed: Callable[[], bool]) -> Blueprint:
    """`is_allowed` is asked before every request, inside of it; when it says no, the answer is 403."""
    pages = Blueprint(
        "messages", __name__, template_folder="templates", static_folder="static", static_url_path="/console/static"
    )

    @pages.before_request
    def check() -> AnyResponse | None:
        if request.endpoint == "messages.static" or is_allowed():
            return None
        return _problem(403, "Not from here", "The messages are only shown to the networks in TRUSTED_NETWORKS.")

    @pages.after_request
    def protect(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        if request.endpoint != "messages.static":
            response.headers["Cache-Control"] = "no-store"
        return response

    @pages.app_context_processor
    def navigation() -> dict[str, object]:
        """The pages of the console that there are, for the header of each."""
        there = {end: title for end, title in _PAGES.items() if end in current_app.view_functions}
        return {
            "navigation": [(url_for(end), title, end == f"{request.blueprint}.index") for end, title in there.items()]
        }

    @pages.context_processor
    def shared() -> dict[str, object]:
        *country, _ = previews.places
        return {
            "counts": _counts,
            "shown": lambda file: files.shown(previews.places, file),
            "country": country[0] if country else None,
        }

    @pages.errorhandler(_NotThere)
    def not_there(error: _NotThere) -> AnyResponse:
        return _problem(404, "Not here", str(error), previews.fingerprint)

    @pages.get("/messages")
    def index() -> str:
        snapshot = previews.now()
        lines = [snapshot.line(name) for name in snapshot.messages]
        chosen = request.args.get("show", message_groups.ALL)
        return render_template(
            "messages/index.html",
            seen=snapshot.fingerprint,
            snapshot=snapshot,
            chosen=chosen,
            choices=message_groups.choices(lines),
            groups=message_groups.grouped(lines, chosen),
        )

    @pages.get("/messages/fingerprint")
    def fingerprint() -> AnyResponse:
        return Response(previews.fingerprint, mimetype="text/plain")

    @pages.get("/messages/<name>")
    def message(name: str) -> str:
        snapshot = previews.now()
        view = _view(snapshot, name)
        line = snapshot.line(name)
        names = list(snapshot.messages)
        place = names.index(name)
        preview = snapshot.preview(name, view.languages, long=view.long)
        html = "" if isinstance(preview.email, Broken) else preview.email.html
        return render_template(
            "messages/message.html",
            seen=snapshot.fingerprint,
            snapshot=snapshot,
            view=view,
            line=line,
            group=message_groups.heading_of(name),
            preview=preview,
            html=html,
            preheader=frames.preheader(html),
            has_pictures_from_elsewhere=frames.has_pictures_from_elsewhere(html),
            method=f"{'INFORMANT' if name in INFORMANT_MESSAGES else 'USER'}_NOTIFICATION_DELIVERY_METHOD",
            values={key: value for key, value in snapshot.values(name, long=view.long).items() if key not in _INNER},
            elsewhere=[one for one in snapshot.problems if one not in line.problems],
            before=names[place - 1] if place else None,
            after=names[place + 1] if place + 1 < len(names) else None,
        )

    @pages.get("/messages/<name>/html")
    def html(name: str) -> AnyResponse:
        snapshot = previews.now()
        view = _view(snapshot, name)
        email = snapshot.preview(name, view.languages, long=view.long).email
        if isinstance(email, Broken):
            return _problem(404, "This e-mail cannot be made", email.why)
        page = frames.in_colours(frames.with_pictures(email.html, email.images), dark=view.dark)
        return Response(page, headers={"Content-Security-Policy": MESSAGE_POLICY})

    return pages


def _view(snapshot: Snapshot, name: str) -> View:
    if name not in snapshot.messages:
        raise _NotThere(f"There is no message {name}. Those of rules.py are read when the server starts.")
    asked = request.args.get("language", "")
    languages = tuple(dict.fromkeys(filter(None, asked.split(",")))) or snapshot.languages[:1]
    for language in languages:
        if language not in snapshot.languages:
            raise _NotThere(f"There is no language {language}; there are {', '.join(snapshot.languages)}.")
    if not languages:
        raise _NotThere("There are no words in any language: no file of translations can be read.")
    return View(name, languages, request.args.get("values") == "long", request.args.get("colours") == "dark")


def _counts(problems: Sequence[Problem]) -> tuple[int, int]:
    """Errors and warnings."""
    errors = sum(one.severity is Severity.ERROR for one in problems)
    return errors, len(problems) - errors


def _problem(status: int, title: str, text: str, seen: str = "") -> AnyResponse:
    page = render_template("messages/problem.html", title=title, text=text, seen=seen)
    return make_response(page, status)
