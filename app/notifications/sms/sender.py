"""The sender of the `sms` channel: renders the text and hands it to the provider."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol

import structlog

from app.notifications.catalogue import Message
from app.notifications.errors import MessageError
from app.notifications.render import Renderer
from app.notifications.sms.numbers import NotANumber, e164
from app.notifications.variables import LINKS, MessageVariables, languages_of
from app.outbox.delivery import Delivery, Dropped, Failed, Outcome, Retry, Sender
from app.outbox.states import Reason

_LONGEST_VALUE = 100  # characters: most are typed by people, and each segment is paid for
_LONGEST_LINK = 1_000  # characters; core's token has 24
_CRASHES = 3  # tries; it may have handed the message over each time before it crashed

log = structlog.get_logger()


class Provider(Protocol):
    """Hands a text over. One function in one file each.

    `delivery_id` stays the same over retries. After `life` seconds the text is of no use any more.
    """

    def __call__(self, number: str, text: str, delivery_id: str, life: float | None = None, /) -> Outcome: ...


class ProviderCrashed(Exception):
    """A provider of a country's own raised an error, which is the cause: whether the text went out is not known."""

    def __init__(self, name: str, error: Exception) -> None:
        super().__init__(f"the SMS provider {name} crashed: {type(error).__name__}")


def sms_sender(
    renderer: Renderer,
    provider: Provider,
    messages: Mapping[str, Message],
    variables: MessageVariables,
    region: str | None = None,
) -> Sender:
    """`region` is the country of numbers that are written without its code.

    Where `region` is None, numbers are handed on as they are written: providers that call them take E.164 only.
    """

    def send(delivery: Delivery) -> Outcome:
        message = messages.get(delivery.message or "")
        if message is None or message.sms_id is None:
            return Failed(f"there is no SMS of the name {delivery.message}")
        number: str = delivery.payload["to"][0]
        try:
            number = e164(number, region) if region is not None else number
        except NotANumber as error:
            return Failed(str(error))
        values = variables.of_delivery(delivery)
        if any(len(values[name]) > _LONGEST_LINK for name in LINKS & values.keys()):
            return Failed(f"the link is too long for an SMS: it must not exceed {_LONGEST_LINK} characters")
        shown = {name: value if name in LINKS else _short(value) for name, value in values.items()}
        try:
            text = renderer.sms(message.sms_id, shown, *languages_of(delivery))
        except MessageError as error:
            return Failed(f"{error}. Mend it, restart the worker, then: country-config outbox retry {delivery.id}")
        if delivery.expired:
            return Dropped(Reason.EXPIRED)
        life = delivery.deadline - time.monotonic() if delivery.deadline is not None else None
        try:
            return provider(number, text, delivery.id, life)
        except ProviderCrashed as error:
            log.exception("sms.provider_crashed", attempt=delivery.attempt)
            return Retry(str(error)) if delivery.attempt < _CRASHES else Failed(f"{error}. Mend it; the log says more")

    return send


def _short(value: str) -> str:
    """As one line that leaves room for the words around it."""
    line = " ".join(value.split())
    return line if len(line) <= _LONGEST_VALUE else f"{line[: _LONGEST_VALUE - 3]}..."
