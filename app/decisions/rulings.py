"""Asking a country's rules, and making one ruling of what they say. Never raises, never takes longer than allowed."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

import structlog

from app.country import Accept, Action, Answer, Defer, Reject, Rule
from app.records.state import merge

log = structlog.get_logger()

_MOST_HANGING = 8  # rules that never return; more are not started, so that they cannot eat the process

T = TypeVar("T")


class Verdict(StrEnum):
    """What a ruling comes to."""

    ACCEPT = "accept"
    REJECT = "reject"
    DEFER = "defer"


@dataclass(frozen=True)
class Ruling:
    """The country's answer as a whole.

    `declaration` and `annotation` are what is added. `undecided` is True where nobody decided: a rule failed, took
    too long, or two disagreed; the rules are asked again later. `said` is what each rule said, for `rules try`.
    """

    verdict: Verdict
    reason: str | None = None
    declaration: Mapping[str, Any] = field(default_factory=dict)
    annotation: Mapping[str, Any] | None = None
    registration_number: str | None = None
    deadline: Any = None
    undecided: bool = False
    said: tuple[str, ...] = ()


class RuleTimeout(Exception):
    """A country's function did not return in time."""


_hanging = threading.BoundedSemaphore(_MOST_HANGING)


def rule(rules: Sequence[Rule], action: Action, timeout: float) -> Ruling:
    """Ask all rules, within `timeout` seconds in all. No rule at all accepts."""
    if not rules:
        return Ruling(Verdict.ACCEPT, said=("no rule matches: the default accepts",))
    try:
        answers = in_time(lambda: [_checked(one, one(action)) for one in rules], timeout)
    except RuleTimeout:
        return _undecided(f"the rules did not answer within {timeout:g} s")
    except Exception as error:
        log.exception("rule.crashed", event_type=action.event.type, action_type=action.pending.type)
        return _undecided(f"a rule raised {type(error).__name__}")
    return _combined(rules, answers)


def in_time(function: Callable[[], T], timeout: float) -> T:
    """Call a country's function in a thread of its own, which is left behind where it does not return.

    Raises RuleTimeout, and whatever the function raises.
    """
    if not _hanging.acquire(blocking=False):
        raise RuleTimeout
    results: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

    def call() -> None:
        try:
            results.put((True, function()))
        except BaseException as error:  # noqa: BLE001  it is raised in the caller's thread
            results.put((False, error))
        finally:
            _hanging.release()

    threading.Thread(target=call, name="rule", daemon=True).start()
    try:
        succeeded, result = results.get(timeout=timeout)
    except queue.Empty:
        raise RuleTimeout from None
    if not succeeded:
        raise result
    return result  # type: ignore[no-any-return]


def _checked(rule: Rule, answer: Any) -> Answer:
    if not isinstance(answer, Accept | Reject | Defer):
        raise TypeError(f"the rule {rule.__name__} returned {type(answer).__name__}, not Accept, Reject or Defer")
    return answer


def _combined(rules: Sequence[Rule], answers: Sequence[Answer]) -> Ruling:
    said = tuple(f"{one.__name__}: {_in_words(answer)}" for one, answer in zip(rules, answers, strict=True))
    if rejects := [answer for answer in answers if isinstance(answer, Reject)]:
        return Ruling(Verdict.REJECT, reason="; ".join(dict.fromkeys(one.reason for one in rejects)), said=said)
    if defers := [answer for answer in answers if isinstance(answer, Defer)]:
        reasons = dict.fromkeys(one.reason for one in defers if one.reason)
        deadlines = [one.deadline for one in defers if one.deadline is not None]
        deadline = deadlines[0] if deadlines else None
        return Ruling(Verdict.DEFER, reason="; ".join(reasons) or None, deadline=deadline, said=said)
    accepts = [answer for answer in answers if isinstance(answer, Accept)]
    if disagreement := _disagreement(accepts):
        return _undecided(f"two rules disagree on {disagreement}", said)
    declaration: dict[str, Any] = {}
    annotation: dict[str, Any] | None = None
    number = None
    for one in accepts:
        declaration = merge(declaration, one.declaration or {})
        if one.annotation is not None:
            annotation = merge(annotation or {}, one.annotation)
        number = one.registration_number or number
    return Ruling(Verdict.ACCEPT, declaration=declaration, annotation=annotation, registration_number=number, said=said)


def _disagreement(accepts: Sequence[Accept]) -> str | None:
    """The first thing that two Accepts would have different."""
    seen: dict[str, Any] = {}
    for one in accepts:
        additions = {f"declaration {key}": value for key, value in (one.declaration or {}).items()}
        additions |= {f"annotation {key}": value for key, value in (one.annotation or {}).items()}
        if one.registration_number is not None:
            additions["registration number"] = one.registration_number
        for key, value in additions.items():
            if seen.setdefault(key, value) != value:
                return key
    return None


def _undecided(reason: str, said: tuple[str, ...] = ()) -> Ruling:
    return Ruling(Verdict.DEFER, reason=reason, undecided=True, said=said)


def _in_words(answer: Answer) -> str:
    match answer:
        case Reject(reason=reason):
            return f"reject, {reason}"
        case Defer(reason=reason):
            return f"defer, {reason}" if reason else "defer"
        case Accept():
            return "accept"
