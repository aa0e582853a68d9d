"""From the bytes of a batch to the bytes of its events, so that each is read, and judged, for itself."""

from __future__ import annotations

import re

import msgspec

_raw_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_tokens = re.compile(rb'"(?:[^"\\]|\\.)*+"|["\[\]{},]', re.DOTALL).finditer
MOST = 5_000
"""Items of a batch: core sends 300."""
_SPACE = b" \t\r\n"


class NotABatch(Exception):
    """The body is no JSON array."""


class TooMany(Exception):
    """More than MOST items."""

    def __init__(self) -> None:
        super().__init__(f"more than {MOST} events in a batch: send fewer at a time")


def items_of(body: bytes) -> list[bytes]:
    """The JSON texts of an array's items. Raises NotABatch and TooMany."""
    try:
        items = [bytes(item) for item in _raw_items(body)]
    except (msgspec.DecodeError, RecursionError):
        items = _split(body.strip(_SPACE))
    if len(items) > MOST:
        raise TooMany
    return items


def _split(body: bytes) -> list[bytes]:
    """The same for what msgspec does not read, without a look at the items: lone surrogates, and depths, in one item
    must not take the others with it.
    """
    if not body.startswith(b"["):
        raise NotABatch("the body is not a JSON array of event documents")
    items, depth, start = [], 0, 1
    for token in _tokens(body):
        match token.group():
            case b"[" | b"{":
                depth += 1
            case b"]" | b"}":
                depth -= 1
            case b'"':
                break  # of a text without an end: to look for others behind it would take forever
            case b"," if depth == 1:
                items.append(body[start : token.start()])
                start = token.end()
        if depth == 0:
            if token.end() != len(body):
                break
            last = body[start : token.start()]
            return [*items, last] if items or last.strip(_SPACE) else []
    raise NotABatch("the body is not one whole JSON array of event documents")
