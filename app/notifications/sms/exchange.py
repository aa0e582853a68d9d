"""HTTP with an SMS provider: bounded in time and size, no redirects, over connections that are kept."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from app.masking import mask
from app.retry_after import pause

LARGEST_ANSWER = 2**18  # bytes that are read
LONGEST_PAUSE = 3_600.0  # seconds; Retry-After may not keep a message waiting for longer
_LONGEST_EXCERPT = 200
_LONGEST_LOOKED_AT = 4_096  # characters


class NoAnswer(Exception):
    """The provider cannot be reached, or did not answer in time: whether it took a message is not known."""


@dataclass(frozen=True)
class Answer:
    """What came back, as far as it was read. `retry_after` is the pause in seconds that was asked for."""

    status: int
    content: bytes = field(repr=False)
    retry_after: float | None = None

    @property
    def json(self) -> Any:
        """None where it is not JSON."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None

    @property
    def is_fine(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_for_later(self) -> bool:
        """Whether the same may be answered otherwise in a while: too much was asked, or the server is in trouble."""
        return self.status in (408, 425, 429) or self.status >= 500

    def excerpt(self, *hidden: str) -> str:
        """Its beginning as one line, masked, and without what is `hidden`: the message, the number, the key."""
        parsed = self.json
        if parsed is None:
            return excerpt(self.content.decode("utf-8", "replace"), *hidden)
        # Written anew, since what is hidden may stand in it with any of its characters escaped.
        return excerpt(_json(parsed), *(_json(one)[1:-1] for one in hidden))


class Exchange:
    """Calls to one provider, from any number of threads; each has a connection of its own.

    `timeout` is in seconds, for connecting and again for the answer as a whole.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._of_thread = threading.local()

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        login: tuple[str, str] | None = None,
    ) -> Answer:
        """Send it once. Raises NoAnswer, which quotes neither URL nor header."""
        until = time.monotonic() + 2 * self._timeout
        try:
            with self._session.request(
                method,
                url,
                headers={"Accept-Encoding": "identity", **headers},
                data=body,
                auth=login or _nothing,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as answer:
                content = _read(answer, until)
        except (requests.RequestException, HTTPError, ValueError) as error:
            raise NoAnswer(f"no answer: {type(error).__name__}") from None
        return Answer(answer.status_code, content, pause(answer.headers.get("Retry-After"), LONGEST_PAUSE))

    @property
    def _session(self) -> requests.Session:
        if not hasattr(self._of_thread, "session"):
            self._of_thread.session = _Session()
            self._of_thread.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session: requests.Session = self._of_thread.session
        return session


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002  as it is called
        # requests looks for a target even where redirects are not allowed, and reads the whole body before it.
        return None


def excerpt(text: str, *hidden: str) -> str:
    """The beginning of what a provider said, as one line, masked, and without what is `hidden`."""
    for secret in hidden:
        if secret:
            text = text.replace(secret, "***")
    shown = "".join(one if one.isprintable() else " " for one in text[:_LONGEST_LOOKED_AT])
    return mask(" ".join(shown.split()))[:_LONGEST_EXCERPT]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _nothing(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """As `auth`, so that requests takes no password out of a ~/.netrc."""
    return request


def _read(answer: requests.Response, until: float) -> bytes:
    """The answer, or as much of it as is looked at."""
    content = bytearray()
    while len(content) <= LARGEST_ANSWER and (part := answer.raw.read1(65_536, decode_content=True)):
        content += part
        if time.monotonic() > until:
            raise requests.ReadTimeout
    return bytes(content[:LARGEST_ANSWER])
