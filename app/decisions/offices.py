"""Offices are fetched with the tokens that core's questions bring, so that rules find them in the database."""

from __future__ import annotations

from dataclasses import dataclass

from app.decisions.store import Decisions
from app.opencrvs.offices import Offices
from app.outbox.delivery import Delivery, Outcome, Sender


@dataclass(frozen=True)
class OfficesForRules:
    """The worker's part."""

    decisions: Decisions
    offices: Offices

    def refresh(self) -> None:
        """A chore: in the background, where it is time and some token is still good. Raises DatabaseAway."""
        token = self.decisions.longest_token()
        if token:
            self.offices.fill(token, wait=False)

    def before(self, decide: Sender) -> Sender:
        """`decide`, after the office of its action was looked up: not to know it may be why nobody decided."""

        def send(delivery: Delivery) -> Outcome:
            decision = self.decisions.find_by_trigger(delivery.trigger.id)
            if decision is not None:
                asked = self.decisions.asked(decision)
                self.offices.fill(asked.token, asked.pending.created_at_location)
            return decide(delivery)

        return send
