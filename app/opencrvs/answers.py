"""What core's answer to a tRPC call comes to: `[{"result": {"data": {"json": ...}}}]`, an error, or not core at all.

An error is `[{"error": {"json": {"message", "data": {"code", "httpStatus"}}}}]`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.masking import mask
from app.retry_after import pause

LONGEST_REASON = 300
LONGEST_PAUSE = 3_600.0  # seconds; Retry-After may not keep a record waiting for longer
_LONGEST_MESSAGE = 16_384  # characters that are looked at

_A_RESULT = re.compile(rb'\s*\[\s*\{\s*"result"\s*:').match

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


class RefusalCode(StrEnum):
    """Which refusal it is, where that decides what is done next."""

    UNAUTHORIZED = "unauthorized"  # the token has ended, or is not core's
    FORBIDDEN = "forbidden"  # the token lacks what this needs
    NOT_FOUND = "not-found"  # the record is gone, or its event type is not in the token's scopes
    ASSIGNED = "assigned"  # somebody holds the record: it is free later
    ALREADY_ACCEPTED = "already-accepted"  # core has the other verdict
    ALREADY_REJECTED = "already-rejected"
    NOT_PENDING = "not-pending"  # the id is not that of an action which waits for its confirmation
    OTHER = "other"


_CODES = {
    "UNAUTHORIZED": RefusalCode.UNAUTHORIZED,
    "FORBIDDEN": RefusalCode.FORBIDDEN,
    "NOT_FOUND": RefusalCode.NOT_FOUND,
    "CONFLICT": RefusalCode.ASSIGNED,
}
_NO_PROCEDURE = "No procedure found"  # tRPC's own NOT_FOUND, which says nothing of the record
# Of an answer that is not tRPC's, such as a gateway's in front of core.
_CODES_OF_STATUS = {401: RefusalCode.UNAUTHORIZED, 403: RefusalCode.FORBIDDEN}
# Core gives all of these the code BAD_REQUEST: nothing but its sentence tells them apart (section 8 of the contract).
_SENTENCES = (
    ("has already been accepted", RefusalCode.ALREADY_ACCEPTED),
    ("has already been rejected", RefusalCode.ALREADY_REJECTED),
    ("is not awaiting confirmation", RefusalCode.NOT_PENDING),
    ("cannot be confirmed as", RefusalCode.NOT_PENDING),
)


@dataclass(frozen=True)
class Done:
    """Core did it. `json` is what it says of it, None where that is too long to be read."""

    json: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class Result:
    """What core was asked for: superjson's `json`, without its `meta`, so that dates are text."""

    json: Any = field(repr=False)


@dataclass(frozen=True)
class Refused:
    """Core will never do it like this. `reason` is for an operator: masked, one line, at most 300 characters."""

    reason: str
    code: RefusalCode = RefusalCode.OTHER


@dataclass(frozen=True)
class Unavailable:
    """Core may do it later. `reason` as in Refused.

    `destination_down` where all of core seems away, not this call alone. `after` is the pause in seconds that core
    asked for, at most an hour.
    """

    reason: str
    destination_down: bool
    after: float | None = None


@dataclass(frozen=True)
class Answer:
    """What came back, as far as it was read."""

    status: int
    retry_after: str | None
    content: bytes = field(repr=False)
    is_whole: bool


def judged(answer: Answer, token: str) -> Done | Refused | Unavailable:
    """Of a mutation, whose result is known by its first bytes."""
    item = _item(answer.content)
    if _is_fine(answer) and (_A_RESULT(answer.content) or isinstance(item.get("result"), dict)):
        return Done(_object(_object(item.get("result")).get("data")).get("json"))
    return _failure(answer, item, token)


def result(answer: Answer, token: str) -> Result | Refused | Unavailable:
    """Of a query, whose result is wanted whole."""
    if _is_fine(answer) and not answer.is_whole:
        return Refused(f"core's answer is larger than the {len(answer.content)} bytes that are read")
    item = _item(answer.content)
    data = _object(_object(item.get("result")).get("data"))
    if _is_fine(answer) and "json" in data:
        return Result(data["json"])
    return _failure(answer, item, token)


def one_line(text: str, token: str) -> str:
    """What core says may quote the record, and the token: both are masked before the text is cut."""
    shown = "".join(one if one.isprintable() else " " for one in text.replace(token, "***")[:_LONGEST_MESSAGE])
    return mask(" ".join(shown.split()))[:LONGEST_REASON]


def _is_fine(answer: Answer) -> bool:
    return 200 <= answer.status < 300


def _failure(answer: Answer, item: dict[str, Any], token: str) -> Refused | Unavailable:
    status, after = answer.status, pause(answer.retry_after, LONGEST_PAUSE)
    error = item.get("error")
    if not isinstance(error, dict):
        reason = f"{status}, and not from core's events service: is GATEWAY_URL right?"
        return _by_status(status, reason, after, _CODES_OF_STATUS.get(status, RefusalCode.OTHER))
    error = _object(error.get("json", error))
    data = _object(error.get("data"))
    code = data.get("code")
    meant = _STATUSES.get(str(code)) or data.get("httpStatus")
    message = str(error.get("message"))[:_LONGEST_MESSAGE]
    reason = one_line(f"core answered {code or status}: {message}", token)
    return _by_status(meant if isinstance(meant, int) else status, reason, after, _refusal(code, message))


def _refusal(code: Any, message: str) -> RefusalCode:
    if code == "BAD_REQUEST":
        return next((refusal for sentence, refusal in _SENTENCES if sentence in message), RefusalCode.OTHER)
    if not isinstance(code, str) or message.startswith(_NO_PROCEDURE):
        return RefusalCode.OTHER
    return _CODES.get(code, RefusalCode.OTHER)


def _item(content: bytes) -> dict[str, Any]:
    """The only one of the batch; tRPC answers without a batch where it fails before it has looked into it."""
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return _object(parsed[0] if isinstance(parsed, list) and len(parsed) == 1 else parsed)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _by_status(
    status: int, reason: str, after: float | None, code: RefusalCode = RefusalCode.OTHER
) -> Refused | Unavailable:
    if status in _NEVER or (400 <= status < 500 and status not in _LATER):
        return Refused(reason, code)
    return Unavailable(reason, destination_down=status in _AWAY, after=after)
