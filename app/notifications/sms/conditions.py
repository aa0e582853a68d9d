"""A tiny language for what an SMS gateway answers: `status:2xx; json:messages.0.status=accepted|queued`.

All of its parts, separated by `;`, have to hold. `status:` lists HTTP statuses or classes of them. `json:` names a
value in the JSON answer by its path, in which a number is a place in a list, and the texts that it may have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.notifications.sms.exchange import Answer

_STATUS = re.compile(r"[1-5](?:xx|[0-9]{2})").fullmatch
_Test = Callable[[Answer], bool]


@dataclass(frozen=True)
class Condition:
    """What an answer has to be like."""

    tests: tuple[_Test, ...]

    def holds(self, answer: Answer) -> bool:
        return all(test(answer) for test in self.tests)


def condition(written: str) -> Condition:
    """Read one. Raises ValueError."""
    return Condition(tuple(_test(part.strip()) for part in written.split(";")))


@dataclass(frozen=True)
class Path:
    """Where a value stands in a JSON answer: `messages.0.id`."""

    steps: tuple[str, ...]

    def text_in(self, parsed: Any) -> str | None:
        """The text there, as JSON writes it; None where there is no text, number, true or false."""
        for step in self.steps:
            parsed = _below(parsed, step)
        match parsed:
            case str():
                return parsed
            case bool():
                return str(parsed).lower()
            case int() | float():
                return str(parsed)
        return None


def path(written: str) -> Path:
    """Read one. Raises ValueError."""
    steps = tuple(written.strip().split("."))
    if not all(steps):
        raise ValueError(f"{written!r} is not a path. It has names and places with dots between them: messages.0.id")
    return Path(steps)


def _below(parsed: Any, step: str) -> Any:
    if isinstance(parsed, dict):
        return parsed.get(step)
    if isinstance(parsed, list) and step.isdecimal() and len(step) < 4 and int(step) < len(parsed):
        return parsed[int(step)]
    return None


def _test(part: str) -> _Test:
    kind, _, rest = part.partition(":")
    if kind == "status":
        return _status_test([one.strip() for one in rest.split("|")])
    place, equals, wanted = rest.partition("=")
    if kind != "json" or not equals:
        raise ValueError(f"{part!r} is not a condition. Write status:2xx, or json:path.to.value=this|or this")
    found, texts = path(place), {one.strip() for one in wanted.split("|")}
    return lambda answer: found.text_in(answer.json) in texts


def _status_test(wanted: Sequence[str]) -> _Test:
    if not all(_STATUS(one) for one in wanted):
        raise ValueError(f"{'|'.join(wanted)!r} are not HTTP statuses. Write status:2xx or status:200|202")
    return lambda answer: str(answer.status) in wanted or f"{answer.status // 100}xx" in wanted
