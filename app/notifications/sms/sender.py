"""The sender of the `sms` channel: renders the text and hands it to the provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.notifications.catalogue import Message
from app.notifications.errors import MessageError
from app.notifications.render import Renderer
from app.notifications.sms.numbers import NotANumber, e164
from app.notifications.variables import languages_of, variables_for
from app.outbox.delivery import Delivery, Dropped, Failed, Outcome, Sender
from app.outbox.states import Reason

_LONGEST_REASON = 100  # characters: it is typed by people, and each segment is paid for

# A provider: number, text, and an id that stays the same over retries. One function in one file each.
Provider = Callable[[str, str, str], Outcome]


def sms_sender(
    renderer: Renderer, provider: Provider, messages: Mapping[str, Message], minutes: int, region: str | None = None
) -> Sender:
    """`minutes` is the life of a one-time code, `region` the country of numbers that are written without its code.

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
        variables = variables_for(message.name, delivery, minutes)
        if len(variables.get("reason", "")) > _LONGEST_REASON:
            variables["reason"] = f"{variables['reason'][: _LONGEST_REASON - 3]}..."
        try:
            text = renderer.sms(message.sms_id, variables, *languages_of(delivery))
        except MessageError as error:
            return Failed(f"{error}. Mend it, restart the worker, then: country-config outbox retry {delivery.id}")
        if delivery.expired:
            return Dropped(Reason.EXPIRED)
        return provider(number, text, delivery.id)

    return send
