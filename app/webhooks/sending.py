"""The sender of the `webhook` channel: one event to one subscription."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import structlog

from app.database.engine import Database
from app.encryption import Cipher
from app.outbox.delivery import Delivery, Dropped, Failed, NewDelivery, Outcome, Retry, Sent, Trigger
from app.outbox.schedule import DAY
from app.webhooks import own_events
from app.webhooks.addresses import AllowedAddresses, ForbiddenUrl
from app.webhooks.event import Event, as_bytes
from app.webhooks.formats import FORMATS, Signing
from app.webhooks.guarded import Answer, NoAnswer, post
from app.webhooks.publishing import filter_of, owed_to
from app.webhooks.subscription import Subscription, Wish
from app.webhooks.subscriptions import Subscriptions, UnknownSubscription

TIMEOUT = 15.0  # seconds for the whole of a try
LARGE, LARGEST = 20 * 1024, 256 * 1024  # bytes
_DISABLED_AFTER = 5 * DAY
_LONGEST_PAUSE = DAY  # Retry-After may not keep an event waiting for longer
_GONE = 410
_AWAY = frozenset({502, 503, 504})

log = structlog.get_logger()

Events = Callable[[Trigger, str], Event | None]
"""The event of this type that a trigger tells of."""


@dataclass(frozen=True)
class Sending:
    """`schedule` is the seconds between tries, one shorter than the number of them.

    `alert` says what an operator is owed when a subscription is disabled, from the subject and the HTML of a mail.
    """

    database: Database
    cipher: Cipher
    subscriptions: Subscriptions
    events: Events
    allowed: AllowedAddresses
    ca_file: str | None
    schedule: Sequence[float]
    alert: Callable[[Mapping[str, str]], Sequence[NewDelivery]]

    def send(self, delivery: Delivery) -> Outcome:
        """Sign and post it."""
        try:
            subscription = self.subscriptions.find(str(delivery.payload["subscription"]))
        except UnknownSubscription:
            return Dropped("the subscription was deleted")
        event = own_events.event_of(delivery.trigger) or self.events(delivery.trigger, str(delivery.message))
        if event is None:
            return Dropped("it was decided otherwise since, or its trigger is not declared any more")
        is_test = delivery.trigger.path == own_events.TEST
        if not (subscription.active or is_test):
            return Failed("the subscription is not active: enable it, then replay what failed")
        body = as_bytes(body_of(subscription.wish, event, is_test=is_test))
        if len(body) > LARGEST:
            return Failed(f"the event has {len(body)} bytes, and {LARGEST} is the limit: ask for fewer attributes")
        if len(body) > LARGE:
            log.warning("webhook.large", subscription_id=subscription.id, bytes=len(body), type=event.type.name)
        signing = Signing(event.id, int(time.time()), delivery.attempt, subscription.secrets)
        request = FORMATS[subscription.wish.format].signed(body, signing)
        headers = {**subscription.wish.headers, **request.headers}
        try:
            answer = post(
                subscription.wish.url,
                request.body,
                headers,
                allowed=self.allowed,
                timeout=TIMEOUT,
                ca_file=self.ca_file,
            )
        except ForbiddenUrl as error:  # by a setting or a DNS that may be mended
            if is_test:
                return Failed(f"not sent: {error}")
            return self._again(delivery, subscription, f"not sent: {error}", destination_down=False)
        except NoAnswer as error:
            if is_test:
                return Failed(str(error))
            return self._again(delivery, subscription, str(error), destination_down=True)
        if is_test:
            return _of_test(answer)
        return self._judged(delivery, subscription, answer)

    def _judged(self, delivery: Delivery, subscription: Subscription, answer: Answer) -> Outcome:
        said = f"{answer.status} {answer.excerpt}".strip()
        if 200 <= answer.status < 300:
            self.subscriptions.worked(subscription)
            return Sent(said)
        if answer.status == _GONE:
            self._disable(subscription, "the receiver answered 410 Gone", delivery.trigger.request_id)
            return Failed("the receiver answered 410 Gone", said)
        return self._again(
            delivery, subscription, said, destination_down=answer.status in _AWAY, after=answer.retry_after
        )

    def _again(
        self,
        delivery: Delivery,
        subscription: Subscription,
        said: str,
        *,
        destination_down: bool,
        after: float | None = None,
    ) -> Outcome:
        if self.subscriptions.failed(subscription) >= _DISABLED_AFTER:
            because = "the receiver has taken nothing for five days"
            self._disable(subscription, because, delivery.trigger.request_id)
            return Failed(because, said)
        if delivery.attempt > len(self.schedule):
            return Failed(f"tries used up: {said}", said)
        pause = self.schedule[delivery.attempt - 1] * random.uniform(0.8, 1.2)
        return Retry(said, destination_down, max(pause, min(after or 0.0, _LONGEST_PAUSE)))

    def _disable(self, subscription: Subscription, because: str, request_id: str) -> None:
        """And say so: to the client's other subscriptions, to the operator, and in the log."""
        data = {
            "subscriptionId": subscription.id,
            "description": subscription.wish.description,
            "reason": because,
            **_mail(subscription, because),
        }
        others = [one for one in self.subscriptions.of_client(subscription.client_id) if one.id != subscription.id]

        def owed(trigger: Trigger) -> list[NewDelivery]:
            event = own_events.event_of(trigger)
            assert event is not None  # noqa: S101  it is ours
            told = [owed_to(one, event, filter_of(one)) for one in others if one.active]
            return [*(new for new in told if new is not None), *self.alert(data)]

        with self.database.transaction() as connection:
            if not self.subscriptions.disable(connection, subscription, because):
                return
            path = own_events.DISABLED
            own_events.keep(connection, self.database, self.cipher, path, data, request_id, owed)
        log.error(
            "subscription.disabled",
            subscription_id=subscription.id,
            reason=because,
            advice="when its receiver is mended, its client calls enable, then replay",
        )


def _of_test(answer: Answer) -> Outcome:
    """A try-out is tried once, and says nothing of how the subscription fares."""
    said = f"{answer.status} {answer.excerpt}".strip()
    return Sent(said) if 200 <= answer.status < 300 else Failed(said)


def body_of(wish: Wish, event: Event, *, is_test: bool = False) -> dict[str, Any]:
    """What is sent, before it is signed. The older API has the bare data with an id in it."""
    if wish.topic is not None:
        return {"webhook_request_id": event.id, **event.chosen(wish.attributes)}
    return event.told(wish.attributes) | ({"test": True} if is_test else {})


def _mail(subscription: Subscription, because: str) -> dict[str, str]:
    described = subscription.wish.description or "without a description"
    text = (
        f"Subscription {subscription.id} ({described}) was disabled: {because}. "
        "Its client is told nothing until it is enabled again."
    )
    return {"subject": "A webhook subscription was disabled", "html": f"<p>{escape(text)}</p>"}
