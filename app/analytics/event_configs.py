"""The event configurations of the country, which say what may be kept; fetched, cached, and asked for again."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping

import requests
import structlog
from urllib3.exceptions import HTTPError

from app.analytics.marking import Marking, MarkingUnavailable, markings_in

log = structlog.get_logger()

FRESH_FOR = 300.0  # seconds
ASK_AGAIN_AFTER = 30.0  # where the last answer was of no use
ASK_SOON = 4.0  # the same where nothing is known: core tries a reindex five times, 5 s apart
LARGEST = 2**26  # bytes; a country's forms are a few millions
_TIMEOUT = (3.0, 20.0)


class EventConfigurations:
    """What is marked at a URL. Safe for threads; what was fetched once is used until newer can be had."""

    def __init__(
        self,
        url: str,
        *,
        fresh_for: float = FRESH_FOR,
        timeout: tuple[float, float] = _TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`timeout` is in seconds: to connect; for each part of the answer, and for its body as a whole."""
        self._url = url
        self._fresh_for = fresh_for
        self._timeout = timeout
        self._clock = clock
        self._lock = threading.Lock()
        self._known: Mapping[str, Marking] | None = None
        self._ask_again_at = float("-inf")
        self._problem = ""

    def __call__(self) -> Mapping[str, Marking]:
        """By event type. Raises MarkingUnavailable where they could never be had."""
        # One thread asks; the others wait for it only where nothing is known.
        if self._is_old() and self._lock.acquire(blocking=self._known is None):
            try:
                if self._is_old():
                    self._refresh()
            finally:
                self._lock.release()
        if self._known is None:
            raise MarkingUnavailable(f"EVENT_CONFIG_URL: {self._problem}, so that it is not known what may be kept")
        return self._known

    def _is_old(self) -> bool:
        return self._clock() >= self._ask_again_at

    def _refresh(self) -> None:
        try:
            found = markings_in(self._fetched())
        except (requests.RequestException, HTTPError) as error:
            self._failed(f"no answer ({type(error).__name__})")
        except (ValueError, RecursionError) as error:
            self._failed(f"no event configurations there ({str(error) or type(error).__name__})")
        else:
            if gone := _gone(self._known or {}, found):
                log.warning(
                    "event_config.unmarked", marks=gone, advice="EVENT_CONFIG_URL marks them no more: is it right?"
                )
            if not found and self._known is None:
                log.warning("event_config.marks_nothing", advice="is EVENT_CONFIG_URL right?")
            self._known = found
            self._ask_again_at = self._clock() + self._fresh_for

    def _failed(self, problem: str) -> None:
        self._problem = problem
        self._ask_again_at = self._clock() + (ASK_SOON if self._known is None else ASK_AGAIN_AFTER)
        log.warning("event_config.unavailable", reason=problem, advice="is EVENT_CONFIG_URL right?")

    def _fetched(self) -> object:
        until = time.monotonic() + self._timeout[1]
        with requests.get(
            self._url, headers={"Accept": "application/json"}, timeout=self._timeout, allow_redirects=False, stream=True
        ) as answer:
            if answer.status_code != requests.codes.ok:
                raise ValueError(f"answered {answer.status_code}")
            content = bytearray()
            while part := answer.raw.read1(65_536, decode_content=True):
                content += part
                if len(content) > LARGEST:
                    raise ValueError(f"more than {LARGEST} bytes")
                if time.monotonic() > until:
                    raise requests.ReadTimeout
        value: object = json.loads(content)
        return value


def _gone(before: Mapping[str, Marking], found: Mapping[str, Marking]) -> list[str]:
    """Event types, and the fields of those that are still marked."""
    gone = [event_type for event_type in before if event_type not in found]
    for event_type, marking in found.items():
        if event_type in before:
            known = before[event_type]
            left = {*known.declaration, *known.annotation} - {*marking.declaration, *marking.annotation}
            gone += [f"{event_type}: {field}" for field in left]
    return sorted(gone)
