"""Forwarding the documents of event actions to the receivers of FORWARD_ACTIONS_TO.

A delivery holds no copy of the document: its body is made from the trigger and the decision each time it is sent. So it
has the registration number that core has by then.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_network
from typing import Any

from app.decisions.decision import Decision
from app.decisions.rulings import Verdict
from app.decisions.states import DecisionState
from app.decisions.store import Decisions
from app.outbox.delivery import Delivery, Dropped, Failed, NewDelivery, Outcome, Retry, Sent
from app.outbox.places import FORWARD
from app.outbox.schedule import schedule_of
from app.outbox.states import Priority
from app.settings import Receiver
from app.triggers.consequences import holds
from app.triggers.forwarded_document import accepted_document, hide_values
from app.webhooks.addresses import AllowedAddresses, ForbiddenUrl
from app.webhooks.event import as_bytes
from app.webhooks.formats import Signing, standard
from app.webhooks.guarded import Answer, NoAnswer, post

CHANNEL = "forward"

TIMEOUT = 15.0  # seconds for the whole of a try
CONNECT_TIMEOUT = 3.0

# The operator has named the URLs, so that there is no address that must not be reached.
_ANYWHERE = AllowedAddresses((ip_network("0.0.0.0/0"), ip_network("::/0")), allow_http=True)
_AWAY = frozenset({502, 503, 504})
_WORTH_A_RETRY = frozenset({408, 425, 429})  # and everything from 500 up


class Form(StrEnum):
    """What a document says of the action that core asked about."""

    REQUESTED = "requested"  # as it came
    ACCEPTED = "accepted"  # in the shape that app.triggers.forwarded_document describes


@dataclass(frozen=True)
class Forwarder:
    """`receivers` are those of the settings by their destinations; `secrets` sign, the newest first, if there are any.

    `ca_file` has the certificate authorities that are trusted, those of requests where it is None.
    """

    decisions: Decisions
    receivers: Mapping[str, Receiver]
    secrets: tuple[str, ...] = field(default=(), repr=False)
    ca_file: str | None = None

    def deliveries_for(self, decision: Decision) -> Sequence[NewDelivery]:
        """Return a delivery for each receiver, in the form that the decision has come to by now.

        What was deferred is forwarded as it came, and once more when core has taken a late accept. Nothing is added
        where a delivery of the same key exists: the same question never forwards the same twice.
        """
        if decision.state is DecisionState.DECIDING:
            return ()
        form = Form.ACCEPTED if holds(decision) else Form.REQUESTED
        # What core refused may be decided again, and its number may be another one.
        run = f".{decision.runs}" if form is Form.ACCEPTED else ""
        return [
            NewDelivery(
                key=f"{CHANNEL}.{form}{run}.{receiver.name}",
                channel=CHANNEL,
                destination=destination,
                priority=Priority.TRANSACTIONAL,
                message=f"{decision.event_type} {decision.action_type} {form}",
                recipient=receiver.host,
                payload={"form": form, "runs": decision.runs},
            )
            for destination, receiver in self.receivers.items()
        ]

    def send(self, delivery: Delivery) -> Outcome:
        """Post the document: the sender of the `forward` channel."""
        receiver = self.receivers.get(delivery.destination)
        if receiver is None:  # a worker that is still to be restarted may not know it yet
            return Retry("its URL is not in FORWARD_ACTIONS_TO: put it back, or cancel the delivery")
        decision = self.decisions.find_by_trigger(delivery.trigger.id)
        if decision is None:
            return Failed("there is no decision on this trigger")
        document = delivery.trigger.payload
        if delivery.payload["form"] == Form.ACCEPTED:
            if decision.verdict is not Verdict.ACCEPT or decision.runs != delivery.payload["runs"]:
                return Dropped("it was decided again since, and that is forwarded in its place")
            document = accepted_document(document, decision.action_id, decision.answer.get("registrationNumber"))
        elif holds(decision):
            return Dropped("it was accepted since, and is forwarded as accepted")
        try:
            body = as_bytes(document)
        except (ValueError, RecursionError):
            return Failed("the document holds what JSON cannot say, such as an infinite number")
        return self._post(receiver, delivery.id, delivery.attempt, body, document)

    def _post(
        self, receiver: Receiver, message_id: str, attempt: int, body: bytes, document: Mapping[str, Any]
    ) -> Outcome:
        try:
            answer = post(
                receiver.url,
                body,
                self._headers(receiver, message_id, attempt, body),
                allowed=_ANYWHERE,
                timeout=TIMEOUT,
                connect_timeout=CONNECT_TIMEOUT,
                ca_file=self.ca_file,
            )
        except (NoAnswer, ForbiddenUrl) as error:
            return Retry(str(error), destination_down=True)
        return _outcome(answer, attempt, document)

    def _headers(self, receiver: Receiver, message_id: str, attempt: int, body: bytes) -> dict[str, str]:
        """`webhook-id` is the delivery's id, the same at each try. Signed as Standard Webhooks 1.0 has it."""
        headers = {"Content-Type": "application/json", "webhook-id": message_id}
        if self.secrets:
            signing = Signing(message_id, int(time.time()), attempt, self.secrets)
            headers |= standard.signed(body, signing).headers
        if receiver.authorization is not None:
            headers["Authorization"] = receiver.authorization
        return headers


def by_destination(receivers: Iterable[Receiver]) -> dict[str, Receiver]:
    """The receivers by the outbox's names for them."""
    return {FORWARD + receiver.name: receiver for receiver in receivers}


def _outcome(answer: Answer, attempt: int, document: Mapping[str, Any]) -> Outcome:
    """The reason goes into the log, and has nothing of what the receiver said; the attempt keeps an excerpt of it."""
    if 200 <= answer.status < 300:
        return Sent(str(answer.status))
    if answer.status >= 500 or answer.status in _WORTH_A_RETRY:
        pause = max(schedule_of(Priority.TRANSACTIONAL).pause(attempt), answer.retry_after or 0.0)
        return Retry(f"the receiver answered {answer.status}", answer.status in _AWAY, pause)
    fix = "fix the receiver, then retry"
    if 300 <= answer.status < 400:
        fix = "redirects are not followed, put the new address into FORWARD_ACTIONS_TO, then retry"
    excerpt = hide_values(answer.excerpt, document)
    return Failed(f"the receiver answered {answer.status}: {fix}", f"{answer.status} {excerpt}".strip())
