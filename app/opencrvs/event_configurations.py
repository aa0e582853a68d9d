"""The event configurations of the country, which its config server gives to core: fetched, cached and refreshed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
import structlog
from urllib3.exceptions import HTTPError

log = structlog.get_logger()

FRESH_FOR = 300.0  # seconds
ASK_AGAIN_AFTER = 30.0  # where the last answer was of no use
ASK_SOON = 4.0  # the same where nothing is known: core tries a reindex five times, 5 s apart
LARGEST = 2**26  # bytes; a country's forms are a few millions
_TIMEOUT = (3.0, 20.0)


class ConfigurationsUnavailableError(Exception):
    """They could never be fetched. The message says why."""


@dataclass(frozen=True, eq=False)
class Configurations:
    """What one fetch brought, in its order: objects with the event type as their `id`.

    It is compared and hashed by identity, so that what is made of it can be cached by it.
    """

    listed: tuple[Mapping[str, Any], ...] = field(repr=False)


def configurations_in(value: Any) -> Configurations:
    """Read a parsed JSON value. Raises ValueError for what is not a list of event configurations."""
    if not isinstance(value, list):
        raise ValueError("not a JSON array of event configurations")
    if not all(isinstance(one, dict) and isinstance(one.get("id"), str) for one in value):
        raise ValueError("an event configuration without an id")
    return Configurations(tuple(value))


class EventConfigurations:
    """The configurations at a URL. Safe for threads; what was fetched once is used until newer can be had."""

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
        self._known: Configurations | None = None
        self._ask_again_at = float("-inf")
        self._problem = ""

    def current(self) -> Configurations:
        """Return them, fetched anew where they are old. Raises ConfigurationsUnavailableError.

        One thread fetches; the others wait for it only where nothing is known.
        """
        if self._is_old() and self._lock.acquire(blocking=self._known is None):
            self._refresh()
        if self._known is None:
            raise ConfigurationsUnavailableError(f"EVENT_CONFIG_URL: {self._problem}")
        return self._known

    def known(self) -> Configurations | None:
        """Return at once what is known, and fetch in the background where that is old or nothing."""
        if self._is_old() and self._lock.acquire(blocking=False):
            try:
                threading.Thread(target=self._refresh, name="event-configurations", daemon=True).start()
            except RuntimeError:  # there are too many threads; the next caller tries again
                self._lock.release()
        return self._known

    def _is_old(self) -> bool:
        return self._clock() >= self._ask_again_at

    def _refresh(self) -> None:
        """Fetch, unless another has done so meanwhile. Called with the lock, which is free afterwards."""
        try:
            if self._is_old():
                self._fetch()
        finally:
            self._lock.release()

    def _fetch(self) -> None:
        try:
            self._known = configurations_in(self._fetched())
        except (requests.RequestException, HTTPError) as error:
            self._failed(f"no answer ({type(error).__name__})")
        except (ValueError, RecursionError) as error:
            self._failed(f"no event configurations there ({str(error) or type(error).__name__})")
        else:
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
