"""Counting requests: around all views, so that no view knows of figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIEnvironment

import structlog
from flask import Flask

from app.metrics.received import UNKNOWN, Received

log = structlog.get_logger()

_BELOW = ("/triggers/", "/trigger/")


class Names:
    """What requests are counted as, by their paths: a known name, or UNKNOWN, whatever callers make up.

    `triggers` are what follows /triggers/, `paths` those elsewhere, `actions` what core asks about.
    """

    def __init__(self, triggers: Collection[str], paths: Collection[str], actions: Collection[str]) -> None:
        self.actions = tuple(actions)
        self._known = {f"{prefix}{name}": name for name in triggers for prefix in _BELOW}
        self._known |= {path: path.removeprefix("/") for path in paths}

    @property
    def triggers(self) -> list[str]:
        """All that `of` may return."""
        return sorted({*self._known.values(), *(f"events/{action}" for action in self.actions), UNKNOWN})

    def of(self, path: str) -> tuple[str, str | None] | None:
        """The trigger and, where core asks about one, the action; None for what is no trigger at all."""
        known = self._known.get(path)
        if known is not None:
            return known, None
        if not path.startswith(_BELOW):
            return None
        match path.split("/")[2:]:
            case ["events", _, "actions", asked] if (action := asked.upper()) in self.actions:
                return f"events/{action}", action
        return UNKNOWN, None


def count_requests(app: Flask, names: Names, received: Received) -> None:
    """Count every answer to a trigger, around all of Flask: cheaper than hooks within it, and with whole times."""
    within = app.wsgi_app

    def counted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        name = names.of(environ.get("PATH_INFO", ""))
        # OPTIONS is answered by Flask itself, for any path that there is.
        if name is None or environ["REQUEST_METHOD"] == "OPTIONS":
            return within(environ, start_response)
        began = time.perf_counter()

        def answer(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            try:
                received.count(*name, int(status[:3]), time.perf_counter() - began)
            except Exception:
                log.exception("metrics.crashed")  # to count must never change an answer
            return start_response(status, headers, *error)

        return within(environ, cast("StartResponse", answer))

    app.wsgi_app = counted  # type: ignore[method-assign]
