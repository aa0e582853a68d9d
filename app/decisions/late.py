"""Deciding after core was told to wait: the worker's part. Each function is a sender of the outbox."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from app.country import Country
from app.decisions.additions import Additions
from app.decisions.numbers import NoNumber
from app.decisions.rulings import Verdict, rule
from app.decisions.states import DecisionState
from app.decisions.store import Decisions
from app.outbox.delivery import Delivery, Dropped, Failed, Outcome, Retry, Sent

log = structlog.get_logger()


@dataclass(frozen=True)
class LateDecisions:
    """`timeout` is what the rules may take, in seconds."""

    decisions: Decisions
    country: Country
    timeout: float
    additions: Additions

    def plan(self, delivery: Delivery) -> Outcome:
        """Once a decision is there, nothing is owed yet; one that nobody came to is owed to core."""
        decision = self.decisions.find_by_trigger(delivery.trigger.id)
        if decision is None:
            return Failed("there is no decision on this trigger")
        if decision.state is not DecisionState.DECIDING:
            return Sent()
        if decision.lease_left > 0:
            return Retry("it is being decided", after=decision.lease_left)
        if not self.decisions.defer_abandoned(decision):
            return Retry("another process has begun to decide it", after=1.0)
        log.error("decision.abandoned", event_id=decision.event_id, action_id=decision.action_id)
        return Sent("its process stopped while it decided: decided again")

    def decide(self, delivery: Delivery) -> Outcome:
        """Ask the rules again, and have core told what they say."""
        decision = self.decisions.find_by_trigger(delivery.trigger.id)
        if decision is None or decision.state is not DecisionState.DEFERRED:
            return Dropped("decided meanwhile")
        action = self.decisions.asked(decision).action
        ruling = rule(self.country.rules_for(decision.event_type, decision.action_type), action, self.timeout)
        if ruling.undecided:
            return Retry(ruling.reason or "the rules did not decide")
        if ruling.verdict is Verdict.DEFER:
            self.decisions.still_deferred(decision, ruling)
            return Sent("deferred by the rules")
        if ruling.verdict is Verdict.REJECT and not self.decisions.may_reject_late(decision):
            return Failed(
                f"the rules reject, and core 2.0 takes no late reject of {decision.action_type}: accept it by hand"
            )
        if self.decisions.is_at_core_2_1(decision):
            ruling = self.additions.fitting(action, ruling)
        try:
            resolved = self.decisions.resolve(decision, action, ruling)
        except NoNumber as error:
            return Retry(f"no registration number: {error}")
        return Sent(ruling.verdict) if resolved else Dropped("decided meanwhile")
