"""The sender of the `sms` channel: renders the text and hands it to the provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.notifications.catalogue import Message
from app.notifications.errors import MessageError
from app.notifications.render import Renderer
from app.notifications.variables import variables_of
from app.outbox.delivery import Delivery, Dropped, Failed, Outcome, Sender
from app.outbox.states import Reason

# A provider: number, text, and an id that stays the same over retries. One function in one file each.
Provider = Callable[[str, str, str], Outcome]


def sms_sender(renderer: Renderer, provider: Provider, messages: Mapping[str, Message], minutes: int) -> Sender:
    """`minutes` is the life of a one-time code."""

    def send(delivery: Delivery) -> Outcome:
        message = messages.get(delivery.message or "")
        if message is None or message.sms_id is None:
            return Failed(f"there is no SMS of the name {delivery.message}")
        variables = variables_of(message.name, delivery.trigger.payload) | {"minutes": str(minutes)}
        try:
            text = renderer.sms(message.sms_id, variables, delivery.payload["language"])
        except MessageError as error:
            return Failed(f"{error}. Mend it, restart the worker, then: country-config outbox retry {delivery.id}")
        if delivery.expired:
            return Dropped(Reason.EXPIRED)
        return provider(delivery.payload["to"][0], text, delivery.id)

    return send
