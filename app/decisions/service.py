"""Answering core: once for each action, whoever asks how often and from how many processes at once."""

from __future__ import annotations

import time
from dataclasses import dataclass

import structlog

from app.country import Country
from app.database.engine import DatabaseAway
from app.database.inserts import AlreadyThere
from app.decisions import numbers
from app.decisions.additions import Additions
from app.decisions.decision import Decision
from app.decisions.questions import Question
from app.decisions.receiving import QuestionReceiver
from app.decisions.rulings import Ruling, Verdict, rule
from app.decisions.states import DecisionState
from app.decisions.store import Decisions

log = structlog.get_logger()

_LOOK_EVERY = 0.05  # seconds
_SLACK = 5.0  # what the lease has beside the time that the rules may take
_MOST_DRAWS = 10


class StillDeciding(Exception):
    """Somebody else decides on the same question, and has not come to an end in the time that there is."""


_FINAL = (DecisionState.ACCEPTED, DecisionState.REJECTED, DecisionState.CONFIRMED)


@dataclass(frozen=True)
class DecisionService:
    """`timeout` is what a country's rules may take, in seconds."""

    receiver: QuestionReceiver
    decisions: Decisions
    country: Country
    timeout: float
    additions: Additions

    @property
    def _lease(self) -> float:
        return self.timeout + _SLACK

    def decide(self, question: Question) -> Decision:
        """The decision on the question, made now or found. Raises DatabaseAway and StillDeciding."""
        if self._needs_no_rule(question):
            decision = self._accepted_at_once(question)
            if decision is not None:
                return decision
            return self._of_another(question)
        try:
            self.receiver.begin(question, self._lease)
        except AlreadyThere:
            return self._of_another(question)
        return self._ruled(question, runs=1)

    def _needs_no_rule(self, question: Question) -> bool:
        """Neither a rule nor a serial is asked for, so that the final state can be written in the first commit."""
        event_type, action_type = question.document.type, question.pending.type
        if self.country.rules_for(event_type, action_type):
            return False
        return action_type != "REGISTER" or self.country.number_hook(event_type) is None

    def _accepted_at_once(self, question: Question) -> Decision | None:
        """None where the question was asked before."""
        for _ in range(_MOST_DRAWS):
            number = numbers.drawn() if question.pending.type == "REGISTER" else None
            try:
                return self.receiver.keep_accepted(question, number)
            except AlreadyThere:
                if self.decisions.find(question.key) is not None:
                    return None
        raise numbers.NoNumber(f"{_MOST_DRAWS} random numbers in a row were taken")

    def _ruled(self, question: Question, runs: int) -> Decision:
        action = question.action(self.decisions.office_code(question.pending))
        ruling = rule(self.country.rules_for(action.event.type, action.pending.type), action, self.timeout)
        if question.is_from_core_2_1:
            ruling = self.additions.fitting(action, ruling)
        try:
            decision = self.decisions.finish(action, runs, ruling)
        except Exception as error:
            if ruling.verdict is not Verdict.ACCEPT or isinstance(error, DatabaseAway):
                raise
            if isinstance(error, numbers.NoNumber):
                why = str(error)
                log.warning("registration_number.none", event_type=action.event.type, reason=why)
            else:
                why = type(error).__name__
                log.exception("registration_number.failed", event_type=action.event.type)
            undecided = Ruling(Verdict.DEFER, reason=f"no registration number: {why}", undecided=True)
            decision = self.decisions.finish(action, runs, undecided)
        return decision if decision is not None else self._of_another(question)

    def _of_another(self, question: Question) -> Decision:
        """Wait for who decides already, or take over where that somebody has died."""
        until = time.monotonic() + self._lease
        while time.monotonic() < until:
            found = self.decisions.find(question.key)
            if found is None:
                raise StillDeciding
            if found.state is not DecisionState.DECIDING:
                if found.state not in _FINAL and question.token:
                    self.decisions.keep_token(question.key, question.token, question.claims)
                return found
            if found.lease_left < 0 and self.decisions.take_over(found, self._lease):
                return self._ruled(question, found.runs + 1)
            time.sleep(_LOOK_EVERY)
        raise StillDeciding
