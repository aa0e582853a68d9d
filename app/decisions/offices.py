"""Offices are fetched with the tokens that core's questions bring, so that rules find them in the database."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from app.decisions.store import Decisions
from app.opencrvs.offices import Offices
from app.opencrvs.system_client import SystemClient, SystemClientError
from app.outbox.delivery import Delivery, Outcome, Sender

log = structlog.get_logger()


@dataclass(frozen=True)
class ReadingToken:
    """A token of core's with which its lists can be read: one that came with a question, or our own client's.

    Since core 2.1 has called, our client's comes first: a token of 2.0 may be kept for a week after the upgrade.
    """

    decisions: Decisions
    client: SystemClient | None

    def __call__(self) -> str:
        """Return the token, "" where there is none. Raises UnknownKey and DatabaseAway."""
        if self.client is None:
            return self.decisions.longest_token()
        if self.decisions.is_core_2_1():
            return self._of_client(self.client) or self.decisions.longest_token()
        return self.decisions.longest_token() or self._of_client(self.client)

    @staticmethod
    def _of_client(client: SystemClient) -> str:
        try:
            return client.token()
        except SystemClientError as error:
            log.warning("locations.no_token", reason=str(error))
            return ""


@dataclass(frozen=True)
class OfficesForRules:
    """The worker's part."""

    decisions: Decisions
    offices: Offices

    def refresh(self) -> None:
        """A chore: in the background, where it is time and there is a token. Raises DatabaseAway."""
        self.offices.fill(wait=False)

    def before(self, decide: Sender) -> Sender:
        """`decide`, after the office of its action was looked up: not to know it may be why nobody decided."""

        def send(delivery: Delivery) -> Outcome:
            decision = self.decisions.find_by_trigger(delivery.trigger.id)
            if decision is not None:
                asked = self.decisions.asked(decision)
                self.offices.fill(asked.token, asked.pending.created_at_location)
            return decide(delivery)

        return send
