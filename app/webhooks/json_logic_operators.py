"""The operators of JSON Logic: how many arguments each takes, and what runs for it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.webhooks import json_logic_operations as operations
from app.webhooks.json_logic_lookup import MISSING, found, found_by
from app.webhooks.json_logic_values import Steps, ordered, to_text, truthy

Run = Callable[[Any, Steps], Any]


@dataclass(frozen=True)
class Part:
    """A part of a rule, compiled: called with the data and the steps that are left.

    `weight` is how many parts it consists of. `text` is what it always comes to, where that is text.
    """

    run: Run
    weight: int = 1
    text: str | None = None


@dataclass(frozen=True)
class Operator:
    """`most` is None where there may be any number of arguments."""

    fewest: int
    most: int | None
    build: Callable[[Sequence[Part]], Run]


def _eager(apply: Callable[..., Any]) -> Callable[[Sequence[Part]], Run]:
    def build(arguments: Sequence[Part]) -> Run:
        runs = [argument.run for argument in arguments]
        if len(runs) == 2:
            left, right = runs
            return lambda data, steps: apply(steps, left(data, steps), right(data, steps))
        return lambda data, steps: apply(steps, *[run(data, steps) for run in runs])

    return build


def _if(arguments: Sequence[Part]) -> Run:
    runs = [argument.run for argument in arguments]
    cases = list(zip(runs[::2], runs[1::2], strict=False))
    otherwise = runs[-1] if len(runs) % 2 else None

    def run(data: Any, steps: Steps) -> Any:
        for condition, consequence in cases:
            if truthy(condition(data, steps)):
                return consequence(data, steps)
        return otherwise(data, steps) if otherwise else None

    return run


def _first(wanted: bool) -> Callable[[Sequence[Part]], Run]:
    """Of `and` and `or`: the first value of this truth, or the last of all."""

    def build(arguments: Sequence[Part]) -> Run:
        runs = [argument.run for argument in arguments]

        def run(data: Any, steps: Steps) -> Any:
            value = None
            for one in runs:
                value = one(data, steps)
                if truthy(value) is wanted:
                    break
            return value

        return run

    return build


def _rounds(arguments: Sequence[Part], data: Any, steps: Steps) -> Iterator[tuple[Any, Any]]:
    """Each element of the array, and what the logic comes to with it as the data. What is no array has none."""
    array, logic = arguments[0].run(data, steps), arguments[1]
    for element in array if isinstance(array, list) else ():
        steps.spend(logic.weight)
        yield element, logic.run(element, steps)


def _map(arguments: Sequence[Part]) -> Run:
    return lambda data, steps: [value for _, value in _rounds(arguments, data, steps)]


def _filter(arguments: Sequence[Part]) -> Run:
    return lambda data, steps: [one for one, value in _rounds(arguments, data, steps) if truthy(value)]


def _some(arguments: Sequence[Part]) -> Run:
    return lambda data, steps: any(truthy(value) for _, value in _rounds(arguments, data, steps))


def _none(arguments: Sequence[Part]) -> Run:
    return lambda data, steps: not any(truthy(value) for _, value in _rounds(arguments, data, steps))


def _all(arguments: Sequence[Part]) -> Run:
    def run(data: Any, steps: Steps) -> bool:
        is_any = False
        for _, value in _rounds(arguments, data, steps):
            if not truthy(value):
                return False
            is_any = True
        return is_any

    return run


def _reduce(arguments: Sequence[Part]) -> Run:
    array, logic, *initial = arguments

    def run(data: Any, steps: Steps) -> Any:
        elements = array.run(data, steps)
        value = initial[0].run(data, steps) if initial else None
        for element in elements if isinstance(elements, list) else ():
            steps.spend(logic.weight)
            value = logic.run({"current": element, "accumulator": value}, steps)
        return value

    return run


def _var(arguments: Sequence[Part]) -> Run:
    default = arguments[1].run if len(arguments) > 1 else _nothing
    if not arguments or arguments[0].text == "":
        return lambda data, _steps: data
    if arguments[0].text is not None:
        segments = arguments[0].text.split(".")

        def static(data: Any, steps: Steps) -> Any:
            value = found_by(data, segments, steps)
            return default(data, steps) if value is MISSING else value

        return static
    path = arguments[0].run

    def dynamic(data: Any, steps: Steps) -> Any:
        value = _at(data, path(data, steps), steps)
        return default(data, steps) if value is MISSING else value

    return dynamic


def _missing(arguments: Sequence[Part]) -> Run:
    runs = [argument.run for argument in arguments]

    def run(data: Any, steps: Steps) -> list[Any]:
        keys = [one(data, steps) for one in runs]
        return _absent(data, keys[0] if keys and isinstance(keys[0], list) else keys, steps)

    return run


def _missing_some(arguments: Sequence[Part]) -> Run:
    least, options = (argument.run for argument in arguments)

    def run(data: Any, steps: Steps) -> list[Any]:
        wanted, keys = least(data, steps), options(data, steps)
        keys = keys if isinstance(keys, list) else [keys]
        absent = _absent(data, keys, steps)
        return [] if ordered(operator.ge, len(keys) - len(absent), wanted, steps) else absent

    return run


def _absent(data: Any, keys: Sequence[Any], steps: Steps) -> list[Any]:
    steps.spend(len(keys))
    values = ((key, _at(data, key, steps)) for key in keys)
    return [key for key, value in values if value is MISSING or value is None or value == ""]


def _at(data: Any, key: Any, steps: Steps) -> Any:
    return data if key is None or key == "" else found(data, to_text(key, steps), steps)


def _nothing(_data: Any, _steps: Steps) -> None:
    return None


OPERATORS = {
    "var": Operator(0, 2, _var),
    "missing": Operator(0, None, _missing),
    "missing_some": Operator(2, 2, _missing_some),
    "if": Operator(0, None, _if),
    "?:": Operator(0, None, _if),
    "and": Operator(1, None, _first(False)),
    "or": Operator(1, None, _first(True)),
    "!": Operator(1, 1, _eager(operations.is_false)),
    "!!": Operator(1, 1, _eager(operations.is_true)),
    "==": Operator(2, 2, _eager(operations.equal)),
    "!=": Operator(2, 2, _eager(operations.negated(operations.equal))),
    "===": Operator(2, 2, _eager(operations.same)),
    "!==": Operator(2, 2, _eager(operations.negated(operations.same))),
    "<": Operator(2, 3, _eager(operations.comparison(operator.lt))),
    "<=": Operator(2, 3, _eager(operations.comparison(operator.le))),
    ">": Operator(2, 2, _eager(operations.comparison(operator.gt))),
    ">=": Operator(2, 2, _eager(operations.comparison(operator.ge))),
    "+": Operator(1, None, _eager(operations.total)),
    "-": Operator(1, 2, _eager(operations.difference)),
    "*": Operator(1, None, _eager(operations.product)),
    "/": Operator(2, 2, _eager(operations.quotient)),
    "%": Operator(2, 2, _eager(operations.remainder)),
    "min": Operator(1, None, _eager(operations.extreme(min))),
    "max": Operator(1, None, _eager(operations.extreme(max))),
    "in": Operator(2, 2, _eager(operations.contains)),
    "cat": Operator(1, None, _eager(operations.concatenated)),
    "substr": Operator(2, 3, _eager(operations.part_of_text)),
    "merge": Operator(0, None, _eager(operations.merged)),
    "map": Operator(2, 2, _map),
    "filter": Operator(2, 2, _filter),
    "reduce": Operator(2, 3, _reduce),
    "all": Operator(2, 2, _all),
    "none": Operator(2, 2, _none),
    "some": Operator(2, 2, _some),
    "log": Operator(1, 1, _eager(operations.itself)),  # writes nothing: what it would write may be personal
}
