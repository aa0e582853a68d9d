"""From the bytes of a request to a JSON value."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, NoReturn

from flask import Request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected

from app.http.errors import Refused, because

MEGABYTE = 1024 * 1024
LIMIT = 5 * MEGABYTE
LIMIT_FOR_RECORDS = 64 * MEGABYTE
"""For event actions and /reindex: core sends up to 50 MiB there, and a few kilobytes everywhere else."""

MAX_VALUES = 1_000_000
"""In one body, as far as its punctuation shows: as Python objects, a million values take 50 to 100 MB."""

_DISCARDED = 65_536  # bytes at a time


def has_body(request: Request) -> bool:
    """Whether anything is sent, as far as the headers say."""
    return bool(request.content_length) or "Transfer-Encoding" in request.headers


def json_body(request: Request, limit: int) -> Any:
    """The body as JSON. Raises Refused: 415 where it is not sent as JSON, 413 past `limit` bytes,
    408 where it does not come, 400 otherwise.
    """
    return parsed(json_bytes(request, limit))


def json_bytes(request: Request, limit: int) -> bytes:
    """The body as it came, said to be JSON. Raises Refused as `json_body` does."""
    if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        raise Refused(415, *because("Unsupported media type", "Send JSON, with Content-Type: application/json"))
    if request.content_encoding not in (None, "", "identity"):
        raise Refused(415, *because("Unsupported media type", "Send the body without Content-Encoding"))
    return _bytes(request, limit)


def parsed(body: bytes) -> Any:
    """The standard library's JSON, which takes lone surrogates and U+0000 as core does.

    Raises Refused: 413 for more than MAX_VALUES, 400 for what is not JSON.
    """
    if len(body) > MAX_VALUES:
        check_values(body, MAX_VALUES)
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_not_json)
    except UnicodeDecodeError:
        raise _bad_json("the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _bad_json(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise _bad_json("it is nested too deeply") from None
    except ValueError:
        raise _bad_json("it holds a number that is no JSON number, or one that is too long") from None


def check_values(body: bytes, most: int) -> None:
    """Raise Refused with 413 where a body seems to hold more values, before they are made.

    Punctuation within texts counts too, so that the bound has to be far above what is honest.
    """
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > most:
        raise Refused(413, *because("Request entity too large", f"The body holds more than {most:,} values"))


def _bytes(request: Request, limit: int) -> bytes:
    if (request.content_length or 0) > limit:
        _discard(request)
        raise _too_large(limit)
    # One byte more, because Werkzeug cuts off a body without a declared length at its limit and says nothing.
    request.max_content_length = limit + 1
    try:
        body = request.get_data(cache=False)
    except ClientDisconnected as error:
        if isinstance(error.__context__, TimeoutError):
            raise Refused(408, *because("Request timeout", "The body did not come in time")) from None
        raise _bad_json("the connection ended before the body did") from None
    except ParseException:
        raise _bad_json("the body is not chunked as it should be") from None
    if len(body) > limit:
        _discard(request)
        raise _too_large(limit)
    return body


def _discard(request: Request) -> None:
    """Read what is still to come, and keep none of it: who sends a body reads the answer only afterwards."""
    left = LIMIT_FOR_RECORDS
    with suppress(OSError, ParseException):  # the client has gone, or is too slow: then it reads no answer either
        while left > 0 and (part := request.environ["wsgi.input"].read(_DISCARDED)):
            left -= len(part)


def _too_large(limit: int) -> Refused:
    return Refused(413, *because("Request entity too large", f"The body is larger than {_size(limit)}"))


def _not_json(_constant: str) -> NoReturn:
    raise ValueError


def _bad_json(message: str) -> Refused:
    return Refused(400, *because("Invalid JSON", message))


def _size(octets: int) -> str:
    return f"{octets // MEGABYTE} MB" if octets >= MEGABYTE else f"{octets // 1024} KB"
