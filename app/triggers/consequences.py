"""What is owed once an action is accepted for good: at once, or by a confirmation that core has taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from app.decisions.decision import Decision
from app.decisions.rulings import Verdict
from app.decisions.states import DecisionState
from app.decisions.store import Decisions
from app.outbox.delivery import Delivery, Dropped, NewDelivery, Outcome, Sender, Sent

Consequence = Callable[[Decision], Sequence[NewDelivery]]

_FOR_GOOD = (DecisionState.ACCEPTED, DecisionState.CONFIRMED)


def holds(decision: Decision) -> bool:
    """Whether it is accepted for good."""
    return decision.state in _FOR_GOOD and decision.verdict is Verdict.ACCEPT


def with_consequences(sender: Sender, decisions: Decisions, consequences: Sequence[Consequence]) -> Sender:
    """`sender` plans or confirms a decision. All that follows from it is owed in the write that ends its try.

    A confirmation that is tried again, because the worker died between core's answer and that write, still owes it;
    what is owed already is not owed twice.
    """

    def send(delivery: Delivery) -> Outcome:
        outcome = sender(delivery)
        if not isinstance(outcome, Sent | Dropped):
            return outcome
        decision = decisions.find_by_trigger(delivery.trigger.id)
        if decision is None or not holds(decision):
            return outcome
        owed = [new for consequence in consequences for new in consequence(decision)]
        return replace(outcome, follow_ups=[*outcome.follow_ups, *owed])

    return send
