"""The operators of JSON Logic whose arguments are all worked out before: from the steps and the values to a value."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import reduce
from itertools import pairwise
from typing import Any

from app.webhooks.json_logic_values import (
    CHARACTERS_PER_STEP,
    ELEMENTS_PER_STEP,
    Steps,
    joined,
    loosely_equal,
    ordered,
    parsed,
    strictly_equal,
    to_number,
    to_text,
    truthy,
)


def equal(steps: Steps, left: Any, right: Any) -> bool:
    return loosely_equal(left, right, steps)


def same(_steps: Steps, left: Any, right: Any) -> bool:
    return strictly_equal(left, right)


def negated(of: Callable[[Steps, Any, Any], bool]) -> Callable[[Steps, Any, Any], bool]:
    return lambda steps, left, right: not of(steps, left, right)


def is_true(_steps: Steps, value: Any) -> bool:
    return truthy(value)


def is_false(_steps: Steps, value: Any) -> bool:
    return not truthy(value)


def itself(_steps: Steps, value: Any) -> Any:
    return value


def concatenated(steps: Steps, *values: Any) -> str:
    return joined(list(values), "", steps)


def comparison(before: Callable[[Any, Any], bool]) -> Callable[..., bool]:
    def compare(steps: Steps, *values: Any) -> bool:
        return all(ordered(before, left, right, steps) for left, right in pairwise(values))

    return compare


def contains(steps: Steps, sought: Any, within: Any) -> bool:
    if isinstance(within, str):
        steps.spend(len(within) // CHARACTERS_PER_STEP)
        return within != "" and to_text(sought, steps) in within
    if not isinstance(within, list):
        return False
    steps.spend(len(within) // ELEMENTS_PER_STEP)
    if isinstance(sought, str):
        return sought in within
    return any(strictly_equal(one, sought) for one in within)


def part_of_text(steps: Steps, source: Any, start: Any, length: Any = math.inf) -> str:
    text = to_text(source, steps)
    steps.spend(len(text) // CHARACTERS_PER_STEP)
    first = _whole(to_number(start, steps), len(text))
    rest = text[first:] if first >= 0 else text[max(len(text) + first, 0) :]
    wanted = _whole(to_number(length, steps), len(rest))
    return rest[:wanted] if wanted >= 0 else rest[: max(len(rest) + wanted, 0)]


def _whole(number: float, most: int) -> int:
    return 0 if math.isnan(number) else int(min(max(number, -most), most))


def total(steps: Steps, *values: Any) -> float:
    return reduce(operator.add, (parsed(value, steps) for value in values), 0.0)


def product(steps: Steps, first: Any, *others: Any) -> Any:
    return math.prod((parsed(value, steps) for value in (first, *others)), start=1.0) if others else first


def difference(steps: Steps, first: Any, *others: Any) -> float:
    return to_number(first, steps) - to_number(others[0], steps) if others else -to_number(first, steps)


def quotient(steps: Steps, left: Any, right: Any) -> float:
    dividend, divisor = to_number(left, steps), to_number(right, steps)
    if divisor:
        return dividend / divisor
    if dividend == 0 or math.isnan(dividend):
        return math.nan
    return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)


def remainder(steps: Steps, left: Any, right: Any) -> float:
    dividend, divisor = to_number(left, steps), to_number(right, steps)
    return math.nan if divisor == 0 or math.isinf(dividend) else math.fmod(dividend, divisor)


def extreme(choose: Callable[[list[float]], float]) -> Callable[..., float]:
    def of(steps: Steps, *values: Any) -> float:
        numbers = [to_number(value, steps) for value in values]
        return math.nan if any(map(math.isnan, numbers)) else choose(numbers)

    return of


def merged(steps: Steps, *values: Any) -> list[Any]:
    lists = [value if isinstance(value, list) else [value] for value in values]
    steps.spend(sum(map(len, lists)))
    return [one for values_of_one in lists for one in values_of_one]
