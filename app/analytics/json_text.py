"""JSON as both databases take it: no U+0000, no half of a surrogate pair, not too deep."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from app.cleaning import clean

_DEEPEST = 500  # levels; PostgreSQL's parser ends somewhere in the thousands
_encode = msgspec.json.Encoder().encode


class Unfit(Exception):
    """An event that cannot be written, though it is valid. The message quotes nothing of the record."""


def json_text(value: Any) -> str:
    """Raises Unfit where it is nested too deeply, or holds what JSON has not."""
    try:
        encoded = _encode(value)
        if b"\\u0000" not in encoded:
            return encoded.decode()
    except UnicodeEncodeError:
        pass
    except (OverflowError, TypeError, ValueError, RecursionError):
        pass
    try:
        return json.dumps(_cleaned(value, _DEEPEST), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise Unfit(f"a value that cannot be kept as JSON ({type(error).__name__})") from error


def _cleaned(value: Any, levels: int) -> Any:
    if not levels:
        raise Unfit(f"a value that is nested more than {_DEEPEST} levels deep")
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): _cleaned(inner, levels - 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(inner, levels - 1) for inner in value]
    return value
