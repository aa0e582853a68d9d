"""Additions of the country to what it accepts, held against the form of the event before core sees them.

Core 2.1 refuses an accept with a field that the form does not take, and the record is stranded. So what a rule adds
beyond the form is left out, with an alert; what an operator or another system adds is refused, for them to correct.
Core 2.0 takes every field, so that nothing is checked for it, nor while the event configurations are not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from app.country import Action
from app.decisions.rulings import Ruling
from app.opencrvs.event_forms import EventForms
from app.records.form import EventForm, Part, Problem

log = structlog.get_logger()

_MAX_NAMED = 20  # fields in the log and in the reason, of one decision


class UnfitAdditionsError(Exception):
    """Core would refuse these additions. `problems` has at least one."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = problems
        super().__init__(_in_words(problems))


@dataclass(frozen=True)
class Additions:
    """`on_left_out` is called when fields were left out of an answer, and must not raise."""

    forms: EventForms
    on_left_out: Callable[[Action, Sequence[Problem]], None] = lambda _action, _problems: None

    def fitting(self, action: Action, ruling: Ruling) -> Ruling:
        """Return the rules' ruling without what core would refuse. Its `reason` then says what was left out."""
        problems = self.problems(action, ruling)
        if problems:
            self.report(action, problems)
        return fitted(ruling, problems)

    def report(self, action: Action, problems: Sequence[Problem]) -> None:
        """Alert of fields that were left out."""
        for problem in problems[:_MAX_NAMED]:
            log.error(
                "addition.left_out",
                event_id=action.event.id,
                action_id=action.pending.id,
                event_type=action.event.type,
                action_type=action.pending.type,
                part=problem.part,
                field=problem.field,
                reason=problem.message,
                fields=len(problems),
                hint="correct rules.py or the event configuration; the action is accepted without this field",
            )
        self.on_left_out(action, problems)

    def check(self, action: Action, ruling: Ruling) -> None:
        """Raise UnfitAdditionsError for what somebody adds by hand and core would refuse."""
        problems = self.problems(action, ruling)
        if problems:
            raise UnfitAdditionsError(problems)

    def problems(self, action: Action, ruling: Ruling) -> list[Problem]:
        """Return what core would refuse of a ruling's additions, as far as the form is known."""
        if not ruling.declaration and not ruling.annotation:
            return []
        form = self.forms.form_of(action.event.type)
        return problems_of(form, action, ruling) if form is not None else []


def problems_of(form: EventForm, action: Action, ruling: Ruling) -> list[Problem]:
    """Return what core would refuse of a ruling's additions, by this form."""
    pending = action.pending
    return form.problems_of(pending.type, ruling.declaration, ruling.annotation, pending.custom_action_type)


def fitted(ruling: Ruling, problems: Sequence[Problem]) -> Ruling:
    """Return the ruling without the fields that have a problem; its `reason` names them."""
    if not problems:
        return ruling
    refused = {(problem.part, problem.field) for problem in problems}
    return replace(
        ruling,
        declaration=_without(refused, Part.DECLARATION, ruling.declaration),
        annotation=_without(refused, Part.ANNOTATION, ruling.annotation or {}) or None,
        reason=f"accepted without what core would refuse: {_in_words(problems)}",
    )


def _without(refused: set[tuple[Part, str]], part: Part, added: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in added.items() if (part, key) not in refused}


def _in_words(problems: Sequence[Problem]) -> str:
    named = [f"{problem.field} of the {problem.part} {problem.message}" for problem in problems[:_MAX_NAMED]]
    more = len(problems) - len(named)
    return "; ".join([*named, f"and {more} more"] if more else named)
