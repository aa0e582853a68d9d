"""The form that a country's answers must have, so that core takes them and the database keeps them."""

from __future__ import annotations

import json
from typing import Any

_LONGEST_NUMBER = 200


class NoNumber(Exception):
    """No registration number could be made, or the one that was given cannot be used; the message says why."""


def number_text(number: Any) -> str:
    """A registration number. Raises NoNumber."""
    if not isinstance(number, str):
        raise NoNumber(f"a registration number is a text, not {type(number).__name__}")
    if not number.strip() or number != number.strip() or not number.isprintable() or len(number) > _LONGEST_NUMBER:
        raise NoNumber(f"a registration number has 1 to {_LONGEST_NUMBER} printable characters, no space at either end")
    return number


def additions(values: Any) -> dict[str, Any]:
    """What is added to a declaration or an annotation, as JSON will hold it. Raises TypeError and ValueError."""
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise TypeError(f"additions are a dict, not {type(values).__name__}")
    taken: dict[str, Any] = json.loads(json.dumps(values, allow_nan=False))
    return taken
