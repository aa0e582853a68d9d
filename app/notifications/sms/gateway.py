"""The SMS provider `http`: any gateway that takes an SMS in one HTTP request, described by settings alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.cleaning import clean
from app.notifications.sms.conditions import Condition, Path
from app.notifications.sms.exchange import Answer, Exchange, NoAnswer
from app.notifications.sms.sender import Provider
from app.notifications.sms.templates import Filled, Message
from app.outbox.delivery import Failed, Outcome, Retry, Sent

_LONGEST_ID = 200
_SHORTEST_KEY = 8  # a shorter word of a header stands in many an innocent answer


@dataclass(frozen=True)
class HttpGateway:
    """How a message is handed to the gateway, and what its answer says.

    `success` is when the message was taken, `refused` when it never will be, `message_id` where the answer has its id.
    `fixed` are the values that stand in the URL and the body themselves: a login may be among them.
    """

    method: str
    url: Filled = field(repr=False)
    headers: Mapping[str, Filled] = field(repr=False)
    body: Filled | None = field(repr=False)
    sender: str
    success: Condition
    refused: Condition | None = None
    message_id: Path | None = None
    fixed: Sequence[str] = field(default=(), repr=False)
    timeout: float = 10.0


def http_provider(gateway: HttpGateway) -> Provider:
    """A gateway that is known by its settings alone promises no receipt: `sent` is the last that is heard."""
    exchange = Exchange(gateway.timeout)

    def send(number: str, text: str, delivery_id: str, _life: float | None = None) -> Outcome:
        message = Message(number, text, gateway.sender, delivery_id)
        headers = {name: filled(message) for name, filled in gateway.headers.items()}
        body = gateway.body(message).encode() if gateway.body is not None else None
        try:
            answer = exchange.call(gateway.method, gateway.url(message), headers=headers, body=body)
        except NoAnswer as error:
            return Retry(f"the SMS gateway: {error}", destination_down=True)
        keys = [word for value in headers.values() for word in value.split() if len(word) >= _SHORTEST_KEY]
        hidden = (text, number, number.removeprefix("+"), *sorted((*keys, *gateway.fixed), key=len, reverse=True))
        return _outcome(gateway, answer, answer.excerpt(*hidden))

    return send


def _outcome(gateway: HttpGateway, answer: Answer, words: str) -> Outcome:
    said = f"the SMS gateway answered {answer.status}: {words}"
    if gateway.refused is not None and gateway.refused.holds(answer):
        return Failed(said)
    if gateway.success.holds(answer):
        found = gateway.message_id.text_in(answer.json) if gateway.message_id is not None else None
        return Sent(
            f"{answer.status}: {words}; no receipt will follow", provider_id=found and clean(found)[:_LONGEST_ID]
        )
    if answer.is_fine:
        # It may well have been taken, and each try is paid for.
        return Failed(f"{said}. It answered 2xx, but not as SMS_HTTP_SUCCESS has it: mend that setting if it was taken")
    if answer.is_for_later:
        return Retry(said, destination_down=True, after=answer.retry_after)
    if answer.status in (401, 403):
        return Retry(f"{said}. Check the login in SMS_HTTP_HEADERS", destination_down=True)
    if answer.status in (404, 405) or answer.status < 400:
        return Retry(f"{said}. Are SMS_HTTP_URL and SMS_HTTP_METHOD right?", destination_down=True)
    return Failed(said)
