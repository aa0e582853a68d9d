"""Our own client at core: the credentials with which core 2.1 takes confirmations, and lists what we ask for.

A client credentials grant, form-encoded in the body, as section 8 of the contract has it. Core's answer names no
lifetime, so that the token's own `exp` says how long it is kept.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import jwt
import requests
import structlog
from urllib3.exceptions import HTTPError

from app.settings import Credentials

log = structlog.get_logger()

_TIMEOUT = (3.0, 10.0)  # seconds: to connect, and for the answer as a whole
_MAX_ANSWER = 65_536  # bytes
_MARGIN = 30.0  # seconds before its end from which a token is not used any more
_SHORTEST_LIFE = 5.0  # seconds for which a token is kept whose end is near or unknown
_LATER = (408, 425, 429)
_HINT = (
    "check SYSTEM_CLIENT_ID, SYSTEM_CLIENT_SECRET and AUTH_URL, and that the client is active at core's Integrations"
)


class ClientProblem(StrEnum):
    """Why there is no token."""

    UNREACHABLE = "unreachable"  # the auth service does not answer, or answers with a failure of its own
    REFUSED = "refused"  # core does not take these credentials: unknown, disabled, or another secret


class SystemClientError(Exception):
    """There is no token for our client. The message is for an operator and holds no secret."""

    def __init__(self, problem: ClientProblem, message: str) -> None:
        super().__init__(message)
        self.problem = problem


class SystemClient:
    """Tokens for our own client, each fetched once and kept until it ends. Safe for threads; one asks, others wait."""

    def __init__(
        self,
        auth_url: str,
        credentials: Credentials,
        *,
        timeout: tuple[float, float] = _TIMEOUT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`auth_url` is core's auth service, or its gateway's path to it."""
        self._url = f"{auth_url.rstrip('/')}/token"
        self._credentials = credentials
        self._timeout = timeout
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._kept_until = 0.0
        self._asked = 0
        self._failure: tuple[ClientProblem, str] | None = None

    def token(self) -> str:
        """Return a token that is good for some time. Raises SystemClientError."""
        asked = self._asked
        with self._lock:
            if not self._token or self._clock() >= self._kept_until:
                self._fetch(asked)
            return self._token

    def renewed(self, refused: str) -> str:
        """Return another token than this one, which core has refused. Raises SystemClientError."""
        asked = self._asked
        with self._lock:
            if self._token == refused or not self._token:
                self._fetch(asked)
            return self._token

    def forget(self) -> None:
        """Keep the token no longer: its scopes may have changed at core since it was issued."""
        with self._lock:
            self._token = ""

    def _fetch(self, asked_before: int) -> None:
        """A failure is shared by all who waited for it: an auth service that hangs is waited for once, not in turns."""
        if self._failure is not None and self._asked != asked_before:
            raise SystemClientError(*self._failure)
        try:
            self._ask()
            self._failure = None
        except SystemClientError as error:
            self._failure = (error.problem, str(error))
            raise
        finally:
            self._asked += 1

    def _ask(self) -> None:
        self._token = ""
        status, content = self._post()
        if status >= 500 or status in _LATER:
            raise SystemClientError(ClientProblem.UNREACHABLE, f"core's auth service answered {status} for a token")
        answer = _object(content)
        token = answer.get("access_token")
        if status != requests.codes.ok or not isinstance(token, str) or not token:
            # Only OAuth's code of the error (RFC 6749 section 5.2) is shown: its description may quote the request.
            code = answer.get("error")
            reason = f"{status} {code}" if isinstance(code, str) and code.isidentifier() else str(status)
            message = f"core's auth service refuses our system client ({reason}): {_HINT}"
            if self._failure != (ClientProblem.REFUSED, message):  # it is asked again every minute: said once
                log.error("system_client.refused", reason=reason, client_id=self._credentials.client_id, hint=_HINT)
            raise SystemClientError(ClientProblem.REFUSED, message)
        self._token = token
        self._kept_until = max(self._clock() + _SHORTEST_LIFE, _end_of(token) - _MARGIN)

    def _post(self) -> tuple[int, bytes]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
        }
        until = time.monotonic() + self._timeout[1]
        content = bytearray()
        try:
            with requests.post(
                self._url, data=form, timeout=self._timeout, allow_redirects=False, stream=True, auth=_no_netrc
            ) as answer:
                while len(content) <= _MAX_ANSWER and (part := answer.raw.read1(_MAX_ANSWER, decode_content=True)):
                    content += part
                    if time.monotonic() > until:
                        raise requests.ReadTimeout
                return answer.status_code, bytes(content)
        except (requests.RequestException, HTTPError) as error:
            raise SystemClientError(
                ClientProblem.UNREACHABLE, f"core's auth service does not answer at {self._url}: {type(error).__name__}"
            ) from None


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """As `auth`, since requests would send what a ~/.netrc has for this host."""
    return request


def _object(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _end_of(token: str) -> float:
    """UTC seconds; 0 where the token does not say it. Core itself has handed it out, so its signature is not judged."""
    try:
        return float(jwt.decode(token, options={"verify_signature": False, "verify_exp": False})["exp"])
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, OverflowError):
        return 0.0
