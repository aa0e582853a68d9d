"""JSON Logic (jsonlogic.com), compiled once and then called with data; its operators are those of json-logic-js.

What differs from json-logic-js:

- `var`, `missing` and `missing_some` find keys with dots in them, such as the ids of a declaration's fields. In
  `{"declaration": {"child.dob": "2020-01-01"}}`, `declaration.child.dob` finds the date. Where walking one segment
  after the other finds something, that holds; otherwise keys of several segments are tried, the longest first.
- A rule that cannot be meant so is refused: an object with several keys or none, too few or too many arguments.
- `log` gives its argument back and writes nothing.
- Work is bounded, by MOST_PARTS and DEEPEST for a rule and by MOST_STEPS for an evaluation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.webhooks.json_logic_operators import OPERATORS, Operator, Part
from app.webhooks.json_logic_values import MOST_STEPS, LogicTooExpensive, Steps, truthy

__all__ = ["DEEPEST", "MOST_PARTS", "MOST_STEPS", "InvalidLogic", "LogicTooExpensive", "compile_logic", "truthy"]

DEEPEST = 50
MOST_PARTS = 1_000


class InvalidLogic(Exception):
    """`path` leads to the place in the rule that has to be mended: keys of objects and indices of arrays."""

    def __init__(self, path: list[str | int], message: str) -> None:
        super().__init__(message)
        self.path = path


def compile_logic(rule: Any) -> Callable[[Any], Any]:
    """What comes of the rule, as a function of the data: a JSON value, NaN or infinite where arithmetic leads there.

    Raises InvalidLogic. Of JSON data the function raises nothing but LogicTooExpensive.
    """
    run = _Compiler().part(rule, []).run

    def evaluate(data: Any) -> Any:
        try:
            return run(data, Steps())
        except RecursionError:  # arrays inside arrays, to be written as text
            raise LogicTooExpensive from None

    return evaluate


class _Compiler:
    def __init__(self) -> None:
        self._parts = 0

    def part(self, rule: Any, path: list[str | int], depth: int = 1) -> Part:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise InvalidLogic(path, f"The filter has more than {MOST_PARTS} parts from here on: make it smaller")
        if depth > DEEPEST:
            raise InvalidLogic(path, f"This is nested deeper than {DEEPEST} levels: make it flatter")
        if isinstance(rule, dict):
            return self._operation(rule, path, depth)
        if isinstance(rule, list):
            return self._array(rule, path, depth)
        return Part(lambda _data, _steps: rule, text=rule if isinstance(rule, str) else None)

    def _operation(self, rule: dict[str, Any], path: list[str | int], depth: int) -> Part:
        if len(rule) != 1:
            raise InvalidLogic(
                path,
                f"An object in a filter has one key, its operator, and this has {len(rule)}: "
                'to ask for several things, use {"and": [...]}',
            )
        [(name, given)] = rule.items()
        path = [*path, name]
        if name not in OPERATORS:
            raise InvalidLogic(path, f"There is no such operator; these are: {' '.join(OPERATORS)}")
        operator = OPERATORS[name]
        if isinstance(given, list):
            arguments = [self.part(one, [*path, index], depth + 1) for index, one in enumerate(given)]
        else:
            arguments = [self.part(given, path, depth + 1)]
        if not operator.fewest <= len(arguments) <= (len(arguments) if operator.most is None else operator.most):
            raise InvalidLogic(path, f"This operator takes {_counted(operator)}, and here are {len(arguments)}")
        return Part(operator.build(arguments), 1 + sum(argument.weight for argument in arguments))

    def _array(self, rule: list[Any], path: list[str | int], depth: int) -> Part:
        parts = [self.part(one, [*path, index], depth + 1) for index, one in enumerate(rule)]
        if not any(isinstance(one, dict | list) for one in rule):
            return Part(lambda _data, _steps: rule)
        runs = [part.run for part in parts]
        return Part(lambda data, steps: [run(data, steps) for run in runs], 1 + sum(part.weight for part in parts))


def _counted(operator: Operator) -> str:
    if operator.most is None:
        return f"{operator.fewest} or more arguments"
    if operator.most == operator.fewest:
        return f"{operator.most} argument{'s' if operator.most != 1 else ''}"
    return f"{operator.fewest} to {operator.most} arguments"
