"""Deciding and confirming after core was told to wait: the worker's part. Each function is a sender of the outbox."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from app.country import Country
from app.decisions.decision import Decision
from app.decisions.numbers import NoNumber
from app.decisions.rulings import Verdict, rule
from app.decisions.states import DecisionState
from app.decisions.store import Decisions
from app.opencrvs.confirmations import Confirmation, Confirmed, CoreEvents, Refused, Unavailable, may_reject_late
from app.outbox.delivery import Delivery, Dropped, Failed, Outcome, Retry, Sent

log = structlog.get_logger()

# Core hides "it was decided otherwise" behind a plain 500, so that more tries than these only repeat it. Tries that
# never came to core's events service say nothing of it: they are known by the answer that was kept of them.
_PLAIN_500 = "core answered INTERNAL_SERVER_ERROR"
_MOST_TRIES_AGAINST_500 = 12


@dataclass(frozen=True)
class LateDecisions:
    """`timeout` is what the rules may take, in seconds. `core` is None where no GATEWAY_URL is set."""

    decisions: Decisions
    country: Country
    timeout: float
    core: CoreEvents | None

    def plan(self, delivery: Delivery) -> Outcome:
        """Once a decision is there, nothing is owed yet; one that nobody came to is owed to core."""
        decision = self.decisions.find_by_trigger(delivery.trigger.id)
        if decision is None:
            return Failed("there is no decision on this trigger")
        if decision.state is not DecisionState.DECIDING:
            return Sent()
        if decision.lease_left > 0:
            return Retry("it is being decided", after=decision.lease_left)
        self.decisions.defer_abandoned(decision)
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
        if ruling.verdict is Verdict.REJECT and not may_reject_late(decision.action_type):
            return Failed(
                f"the rules reject, and core takes no late reject of {decision.action_type}: accept it by hand"
            )
        try:
            resolved = self.decisions.resolve(decision, action, ruling)
        except NoNumber as error:
            return Retry(f"no registration number: {error}")
        return Sent(ruling.verdict) if resolved else Dropped("decided meanwhile")

    def confirm(self, delivery: Delivery) -> Outcome:
        """Tell core."""
        decision = self.decisions.find_by_trigger(delivery.trigger.id)
        if decision is None or decision.state not in (DecisionState.CONFIRMING, DecisionState.REFUSED):
            return Dropped("confirmed meanwhile")
        if self.core is None:
            return Retry("GATEWAY_URL is not set: it is where core's events service is reached", destination_down=True)
        asked = self.decisions.asked(decision)
        if not asked.token:
            self.decisions.conclude(decision, DecisionState.REFUSED)
            return Failed("core's token for this action has expired: core takes no answer to it any more")
        if decision.verdict is Verdict.REJECT:
            confirmation = Confirmation.rejecting(decision.event_id, asked.pending)
        else:
            confirmation = Confirmation.accepting(
                decision.event_id,
                asked.pending,
                registration_number=decision.answer.get("registrationNumber"),
                declaration=decision.answer.get("declaration"),
                annotation=decision.answer.get("annotation"),
            )
        match self.core.confirm(confirmation, asked.token):
            case Confirmed(record=record):
                self.decisions.conclude(decision, DecisionState.CONFIRMED, record)
                return Sent("confirmed")
            case Refused(reason=reason):
                self.decisions.conclude(decision, DecisionState.REFUSED)
                return Failed(f"core refuses it: {reason}")
            case Unavailable() as away:
                if self._fails_every_time(decision, delivery, away):
                    self.decisions.conclude(decision, DecisionState.REFUSED)
                    return Failed(f"core fails on it every time: {away.reason}")
                return Retry(away.reason, away.destination_down, away.after)

    def _fails_every_time(self, decision: Decision, delivery: Delivery, away: Unavailable) -> bool:
        if not away.reason.startswith(_PLAIN_500):
            return False
        before = self.decisions.tries_answered(decision, delivery.id, _PLAIN_500)
        return before + 1 >= _MOST_TRIES_AGAINST_500
