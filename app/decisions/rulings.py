"""Asking a country's rules, and making one ruling of what they say. Never raises, never takes longer than allowed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

import structlog

from app.country import Accept, Action, Defer, Reject
from app.country.answers import Answer
from app.country.country import Rule
from app.country.loading import place_of
from app.decisions.forms import additions, number_text
from app.timed_calls import CountryTimeout, TimedCalls

log = structlog.get_logger()

_LONGEST_DEADLINE = timedelta(days=3650)


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
    deadline: datetime | None = None
    undecided: bool = False
    said: tuple[str, ...] = ()


def rule(rules: Sequence[Rule], action: Action, timeout: float) -> Ruling:
    """Ask all rules, within `timeout` seconds in all. No rule at all accepts."""
    if not rules:
        return Ruling(Verdict.ACCEPT, said=("no rule matches: the default accepts",))
    try:
        calls = _calls_of(tuple(rules))
        return calls(lambda: _combined(rules, [_answer_of(one, action) for one in rules]), timeout)
    except CountryTimeout as error:
        ruling = undecided(f"the rules: {error}")
    except WrongAnswer as error:
        ruling = undecided(str(error))
    except Exception as error:
        log.exception("rule.crashed", event_type=action.event.type, action_type=action.pending.type)
        ruling = undecided(f"a rule raised {type(error).__name__} at {place_of(error)}")
    log.error(
        "rules.undecided",
        event_id=action.event.id,
        action_id=action.pending.id,
        reason=ruling.reason,
        advice="core was told to wait; mend rules.py, and the worker asks it again",
    )
    return ruling


@lru_cache(maxsize=1_000)
def _calls_of(_rules: tuple[Rule, ...]) -> TimedCalls:
    """Those of the same rules are counted together, so that one that hangs holds up the records of no other."""
    return TimedCalls(most_hanging=8)


def undecided(reason: str, said: tuple[str, ...] = ()) -> Ruling:
    """Core is told to wait, and the rules are asked again."""
    return Ruling(Verdict.DEFER, reason=reason, undecided=True, said=said)


class Disagreement(Exception):
    """Two rules would have different things."""


class WrongAnswer(Exception):
    """A rule answered with what neither core nor the database takes; says which rule, and what."""


def _answer_of(one: Rule, action: Action) -> Answer:
    answer = one(action)
    try:
        return _checked(answer)
    except Exception as error:
        raise WrongAnswer(f"the rule {_name(one)} is to be mended: {error}") from error


def _checked(answer: Any) -> Answer:
    """The answer, in a form that core and the database take. Raises TypeError and ValueError."""
    match answer:
        case Reject(reason=str() as reason) if reason.strip():
            return answer
        case Defer(reason=str() | None, deadline=datetime() | timedelta() | None):
            return answer
        case Accept():
            number = answer.registration_number
            return Accept(
                declaration=additions(answer.declaration),
                annotation=None if answer.annotation is None else additions(answer.annotation),
                registration_number=None if number is None else number_text(number),
            )
    raise TypeError(f"a rule answers with Accept, Reject(reason) or Defer, not with {type(answer).__name__}")


def _combined(rules: Sequence[Rule], answers: Sequence[Answer]) -> Ruling:
    said = tuple(f"{_name(one)}: {_in_words(answer)}" for one, answer in zip(rules, answers, strict=True))
    if rejects := sorted({answer.reason for answer in answers if isinstance(answer, Reject)}):
        return Ruling(Verdict.REJECT, reason="; ".join(rejects), said=said)
    if defers := [answer for answer in answers if isinstance(answer, Defer)]:
        reasons = sorted({one.reason for one in defers if one.reason})
        deadlines = [_when(one.deadline) for one in defers if one.deadline is not None]
        deadline = min(deadlines, default=None)
        return Ruling(Verdict.DEFER, reason="; ".join(reasons) or None, deadline=deadline, said=said)
    return _accepted([answer for answer in answers if isinstance(answer, Accept)], said)


def _accepted(accepts: Sequence[Accept], said: tuple[str, ...]) -> Ruling:
    """All additions together. Raises Disagreement where it would matter which came first."""
    declaration: dict[str, Any] = {}
    annotation: dict[str, Any] | None = None
    number = None
    for one in accepts:
        declaration = _together(declaration, one.declaration or {})
        if one.annotation is not None:
            annotation = _together(annotation or {}, one.annotation)
        if one.registration_number is not None:
            if number not in (None, one.registration_number):
                raise Disagreement("on the registration number")
            number = one.registration_number
    return Ruling(Verdict.ACCEPT, declaration=declaration, annotation=annotation, registration_number=number, said=said)


def _together(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both, key by key at any depth. Raises Disagreement where they have different values for one key."""
    both = dict(one)
    for key, value in other.items():
        there = both.get(key, value)
        if isinstance(there, dict) and isinstance(value, dict):
            both[key] = _together(there, value)
        # As JSON, because Python takes 1, 1.0 and True for equal.
        elif json.dumps(there, sort_keys=True) != json.dumps(value, sort_keys=True):
            raise Disagreement(f"on {key}")
        else:
            both[key] = value
    return both


def _when(deadline: datetime | timedelta) -> datetime:
    """A moment in UTC; without a zone it is UTC already. Far ones are brought nearer, so that a clock can show them."""
    now = datetime.now(UTC)
    if isinstance(deadline, timedelta):
        deadline = now + max(-_LONGEST_DEADLINE, min(deadline, _LONGEST_DEADLINE))
    moment = deadline if deadline.tzinfo else deadline.replace(tzinfo=UTC)
    return max(now - _LONGEST_DEADLINE, min(moment, now + _LONGEST_DEADLINE))


def _name(function: Rule) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _in_words(answer: Answer) -> str:
    match answer:
        case Reject(reason=reason):
            return f"reject, {reason}"
        case Defer(reason=reason):
            return f"defer, {reason}" if reason else "defer"
        case Accept():
            return "accept"
