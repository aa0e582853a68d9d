"""What follows from a decision, once it is made and again once core has taken its confirmation."""

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


def is_being_confirmed(decision: Decision) -> bool:
    """Whether it was accepted and core is asked for it once more: what follows from it waits, and is not dropped."""
    return decision.state is DecisionState.CONFIRMING and decision.verdict is Verdict.ACCEPT


def with_consequences(
    sender: Sender,
    decisions: Decisions,
    consequences: Sequence[Consequence],
    of_any_decision: Sequence[Consequence] = (),
) -> Sender:
    """`sender` plans or confirms a decision. All that follows from it is owed in the write that ends its try.

    `consequences` follow from an action that is accepted for good, `of_any_decision` whatever was decided.

    A confirmation that is tried again, because the worker died between core's answer and that write, still owes it;
    what is owed already is not owed twice.
    """

    def send(delivery: Delivery) -> Outcome:
        outcome = sender(delivery)
        if not isinstance(outcome, Sent | Dropped):
            return outcome
        decision = decisions.find_by_trigger(delivery.trigger.id)
        if decision is None:
            return outcome
        due = [*of_any_decision, *(consequences if holds(decision) else ())]
        owed = [new for consequence in due for new in consequence(decision)]
        return replace(outcome, follow_ups=[*outcome.follow_ups, *owed])

    return send
