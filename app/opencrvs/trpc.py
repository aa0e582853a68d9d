"""tRPC with superjson, as core speaks it: one call in a batch of one, and what its answer comes to.

`{"0": {"json": {...}}}` goes out; `[{"result": ...}]` comes back, or
`[{"error": {"json": {"message", "data": {"code", "httpStatus"}}}}]`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from app.masking import mask

LONGEST_REASON = 300
LARGEST_ANSWER = 2**20  # bytes that are read; a result is known by its first ones
LONGEST_PAUSE = 3_600.0  # seconds; Retry-After may not keep a record waiting for longer
_LONGEST_MESSAGE = 16_384  # characters that are looked at

_A_RESULT = re.compile(rb'\s*\[\s*\{\s*"result"\s*:').match
_IN_A_HEADER = re.compile(r"[\x21-\x7e]+").fullmatch

# tRPC's codes, as the HTTP status that tRPC gives each.
_STATUSES = {
    "PARSE_ERROR": 400,
    "BAD_REQUEST": 400,
    "UNAUTHORIZED": 401,
    "PAYMENT_REQUIRED": 402,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_SUPPORTED": 405,
    "TIMEOUT": 408,
    "CONFLICT": 409,
    "PRECONDITION_FAILED": 412,
    "PAYLOAD_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "UNPROCESSABLE_CONTENT": 422,
    "PRECONDITION_REQUIRED": 428,
    "TOO_MANY_REQUESTS": 429,
    "CLIENT_CLOSED_REQUEST": 499,
    "INTERNAL_SERVER_ERROR": 500,
    "NOT_IMPLEMENTED": 501,
    "BAD_GATEWAY": 502,
    "SERVICE_UNAVAILABLE": 503,
    "GATEWAY_TIMEOUT": 504,
}
_AWAY = (502, 503, 504)
_NEVER = (301, 308, 501, 505)  # beside those of 400 to 499
_LATER = (408, 425, 429, 499)


@dataclass(frozen=True)
class Done:
    """Core did it."""


@dataclass(frozen=True)
class Refused:
    """Core will never do it like this. `reason` is for an operator: masked, one line, at most 300 characters."""

    reason: str


@dataclass(frozen=True)
class Unavailable:
    """Core may do it later. `reason` as in Refused.

    `destination_down` where all of core seems away, not this call alone. `after` is the pause in seconds that core
    asked for, at most an hour.
    """

    reason: str
    destination_down: bool
    after: float | None = None


Outcome = Done | Refused | Unavailable


def mutate(url: str, procedure: str, fields: Mapping[str, Any], token: str, timeout: tuple[float, float]) -> Outcome:
    """Call `{url}/{procedure}`. Raises nothing, follows no redirect, and lets the token be seen nowhere else."""
    if not _IN_A_HEADER(token):
        return Refused("the token cannot be sent: it is empty, or holds what no header can")
    try:
        body = json.dumps({"0": {"json": fields}}, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        return Refused(_one_line(f"what is added is not JSON: {error}", token))
    try:
        with requests.post(
            f"{url}/{procedure}",
            params={"batch": "1"},
            data=body,
            headers={"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"},
            auth=_Bearer(token),
            timeout=timeout,
            allow_redirects=False,
            stream=True,
        ) as answer:
            content = _read(answer, until=time.monotonic() + timeout[1])
    except (requests.RequestException, HTTPError) as error:
        # Its name only: the message of such an error may hold the URL with credentials, or the header.
        return Unavailable(f"no answer from core: {type(error).__name__}", destination_down=True)
    return _judged(answer, content, token)


class _Bearer(AuthBase):
    """As `auth`, since requests lets a ~/.netrc replace a mere Authorization header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _read(answer: requests.Response, *, until: float) -> bytes:
    """The answer, or as much of it as is looked at."""
    content = bytearray()
    while len(content) <= LARGEST_ANSWER and (part := answer.raw.read1(65_536, decode_content=True)):
        content += part
        if time.monotonic() > until:
            raise requests.ReadTimeout
    return bytes(content)


def _judged(answer: requests.Response, content: bytes, token: str) -> Outcome:
    status, after = answer.status_code, _pause(answer.headers.get("Retry-After"))
    item = _item(content)
    if 200 <= status < 300 and (_A_RESULT(content) or isinstance(item.get("result"), dict)):
        return Done()
    error = item.get("error")
    if not isinstance(error, dict):
        return _by_status(status, f"{status}, and not from core's events service: is GATEWAY_URL right?", after)
    error = _object(error.get("json", error))
    data = _object(error.get("data"))
    code = data.get("code")
    meant = _STATUSES.get(str(code)) or data.get("httpStatus")
    reason = _one_line(f"core answered {code or status}: {error.get('message')}", token)
    return _by_status(meant if isinstance(meant, int) else status, reason, after)


def _item(content: bytes) -> dict[str, Any]:
    """The only one of the batch; tRPC answers without a batch where it fails before it has looked into it."""
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return _object(parsed[0] if isinstance(parsed, list) and len(parsed) == 1 else parsed)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _by_status(status: int, reason: str, after: float | None) -> Outcome:
    if status in _NEVER or (400 <= status < 500 and status not in _LATER):
        return Refused(reason)
    return Unavailable(reason, destination_down=status in _AWAY, after=after)


def _pause(retry_after: str | None) -> float | None:
    """Seconds from a Retry-After header, which has them or a date (RFC 9110 section 10.2.3)."""
    if retry_after is None:
        return None
    if re.fullmatch(r"[0-9]+", retry_after):
        return min(float(retry_after), LONGEST_PAUSE)
    try:
        at = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((at - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_PAUSE)


def _one_line(text: str, token: str) -> str:
    """What core says may quote the record, and the token: both are masked before the text is cut."""
    shown = "".join(one if one.isprintable() else " " for one in text.replace(token, "***")[:_LONGEST_MESSAGE])
    return mask(" ".join(shown.split()))[:LONGEST_REASON]
