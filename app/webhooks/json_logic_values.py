"""JavaScript's conversions and comparisons of JSON values, by which the operators of JSON Logic are defined.

Python's numbers stand for JavaScript's. Two whole numbers are compared exactly, however large they are; text is
measured and compared by code points. Nothing here raises for any JSON value, except that Steps may run out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

MOST_STEPS = 100_000
CHARACTERS_PER_STEP = 100
ELEMENTS_PER_STEP = 10

_BLANK = " \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"  # fmt: skip  # noqa: E501
_NUMBER = re.compile(r"[+-]?(?:Infinity|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_OTHER_BASE = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")


class LogicTooExpensive(Exception):
    """An evaluation took more steps than one may."""

    def __init__(self) -> None:
        super().__init__("The filter takes too long on this event: let it loop over less, or nest fewer loops")


class Steps:
    """What an evaluation may still do. Each round of a loop takes as many steps as its logic has parts, each element
    of an array that is made takes one, and so do CHARACTERS_PER_STEP characters that are read or made and
    ELEMENTS_PER_STEP elements that are searched.
    """

    __slots__ = ("_left",)

    def __init__(self, left: int = MOST_STEPS) -> None:
        self._left = left

    def spend(self, steps: int) -> None:
        """Raises LogicTooExpensive."""
        self._left -= steps
        if self._left < 0:
            raise LogicTooExpensive


def truthy(value: Any) -> bool:
    """JSON Logic's truth: false are null, false, 0, NaN, the empty text and, unlike in JavaScript, the empty array."""
    if isinstance(value, float):
        return value != 0 and not math.isnan(value)
    return True if isinstance(value, dict) else bool(value)


def to_text(value: Any, steps: Steps) -> str:
    """As String(value)."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _digits(value)
    return joined(value, ",", steps) if isinstance(value, list) else "[object Object]"


def joined(values: list[Any], separator: str, steps: Steps) -> str:
    """As Array.prototype.join, in which null is no text."""
    steps.spend(len(values))
    parts = ["" if value is None else to_text(value, steps) for value in values]
    steps.spend(sum(map(len, parts)) // CHARACTERS_PER_STEP)
    return separator.join(parts)


def to_number(value: Any, steps: Steps) -> float:
    """As Number(value): NaN where it is none."""
    if value is None:
        return 0.0
    if isinstance(value, int | float):
        return _double(value)
    if isinstance(value, list):
        value = to_text(value, steps)
    if not isinstance(value, str):
        return math.nan
    steps.spend(len(value) // CHARACTERS_PER_STEP)
    text = value.strip(_BLANK)
    if _NUMBER.fullmatch(text):
        return float(text)
    if _OTHER_BASE.fullmatch(text):
        return _double(int(text, 0))
    return math.nan if text else 0.0


def parsed(value: Any, steps: Steps) -> float:
    """As parseFloat(value): the number that its text begins with, NaN where it begins with none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _double(value)
    text = to_text(value, steps)
    steps.spend(len(text) // CHARACTERS_PER_STEP)
    number = _NUMBER.match(text.lstrip(_BLANK))
    return float(number.group()) if number else math.nan


def loosely_equal(left: Any, right: Any, steps: Steps) -> bool:
    """As ==. Two arrays, or two objects, are equal only where they are the same one."""
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    if left is None or right is None:
        return left is right
    if _is_object(left) and _is_object(right):
        return left is right
    left, right = _primitive(left, steps), _primitive(right, steps)
    if isinstance(left, str) == isinstance(right, str):
        return bool(left == right)
    return to_number(left, steps) == to_number(right, steps)


def strictly_equal(left: Any, right: Any) -> bool:
    """As ===."""
    if isinstance(left, str) or isinstance(right, str):
        return bool(left == right)
    if _is_number(left) and _is_number(right):
        return bool(left == right)
    return left is right


def ordered(before: Callable[[Any, Any], bool], left: Any, right: Any, steps: Steps) -> bool:
    """As <, <=, > or >=, of which `before` is Python's."""
    left, right = _primitive(left, steps), _primitive(right, steps)
    if isinstance(left, str) and isinstance(right, str):
        return before(left, right)
    return before(to_number(left, steps), to_number(right, steps))


def _is_object(value: Any) -> bool:
    return isinstance(value, list | dict)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _primitive(value: Any, steps: Steps) -> Any:
    return to_text(value, steps) if _is_object(value) else value


def _double(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _digits(number: float) -> str:
    """As JavaScript writes a number: the shortest digits, with an exponent from 1e21 up and below 1e-6."""
    value = _double(number)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == int(value) and abs(value) < 1e21:
        return str(int(Decimal(repr(value))))
    if 1e-6 <= abs(value) < 1e21:
        return f"{Decimal(repr(value)):f}"
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"
