"""The SMS provider `twilio`: SMS, or WhatsApp where the sender is a `whatsapp:` one, by Twilio's own client."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from app.cleaning import clean
from app.environment.values import InvalidSettings
from app.notifications.sms.exchange import Answer, Exchange, NoAnswer
from app.notifications.sms.sender import Provider
from app.notifications.sms.twilio_errors import not_twilio, refused, said
from app.outbox.delivery import Failed, Outcome, Retry, Sent

_CHANNEL = "whatsapp:"
_LONGEST_LIFE = 36_000  # seconds
_FAILED = ("failed", "undelivered", "canceled")
# The client would look for its settings in the environment by itself if it were given none.
_NO_ENVIRONMENT = {"TWILIO_REGION": ""}


@dataclass(frozen=True)
class TwilioAccount:
    """`login` is the account's SID and token, or an API key and its secret. Either sender may be None, not both.

    `sender` is a number, a name or `whatsapp:+...`; `content_sid` a template with one variable, {{1}}, for the text.
    """

    account_sid: str
    login: tuple[str, str] = field(repr=False)
    sender: str | None
    messaging_service_sid: str | None = None
    content_sid: str | None = None
    base_url: str | None = None
    timeout: float = 10.0

    @property
    def is_whatsapp(self) -> bool:
        return (self.sender or "").startswith(_CHANNEL)


def twilio_account(values: Mapping[str, Any]) -> TwilioAccount:
    """From the settings, by the names of their variables. Raises InvalidSettings."""
    key = (values.get("TWILIO_API_KEY"), values.get("TWILIO_API_SECRET"))
    problems = []
    if not values.get("TWILIO_ACCOUNT_SID"):
        problems.append("TWILIO_ACCOUNT_SID: missing. Twilio's console shows it, it starts with AC")
    if any(key) and not all(key):
        problems.append("TWILIO_API_KEY, TWILIO_API_SECRET: one is missing. An API key is used with its secret")
    if not any(key) and not values.get("TWILIO_AUTH_TOKEN"):
        problems.append("TWILIO_AUTH_TOKEN: missing. Set it, or TWILIO_API_KEY and TWILIO_API_SECRET")
    if not values.get("TWILIO_SENDER") and not values.get("TWILIO_MESSAGING_SERVICE_SID"):
        problems.append("TWILIO_SENDER: missing. Set it, or TWILIO_MESSAGING_SERVICE_SID")
    if problems:
        raise InvalidSettings(problems)
    return TwilioAccount(
        account_sid=values["TWILIO_ACCOUNT_SID"],
        login=(str(key[0]), str(key[1])) if all(key) else (values["TWILIO_ACCOUNT_SID"], values["TWILIO_AUTH_TOKEN"]),
        sender=values.get("TWILIO_SENDER") or None,
        messaging_service_sid=values.get("TWILIO_MESSAGING_SERVICE_SID") or None,
        content_sid=values.get("TWILIO_CONTENT_SID") or None,
        base_url=values.get("TWILIO_BASE_URL") or None,
        timeout=float(values.get("SMS_TIMEOUT") or TwilioAccount.timeout),
    )


def twilio_provider(account: TwilioAccount, receipt_url: Callable[[str], str] | None = None) -> Provider:
    """`receipt_url` says where the receipts of a delivery, by its id, are to be sent; None asks for none.

    Imports the client: a third of a second, and 12 MB.
    """
    from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]
    from twilio.rest import Client  # type: ignore[import-untyped]

    exchange = Exchange(account.timeout)

    def client_over(wire: _Wire) -> Any:
        user, password = account.login
        client = Client(user, password, account.account_sid, http_client=wire, environment=_NO_ENVIRONMENT)
        if account.base_url:
            client.api.base_url = account.base_url
        return client

    def send(number: str, text: str, delivery_id: str, life: float | None = None) -> Outcome:
        wire = _Wire(exchange)
        try:
            client_over(wire).messages.create(
                **_message(account, number, text, receipt_url and receipt_url(delivery_id), life)
            )
        except NoAnswer as error:
            return Retry(f"Twilio: {error}", destination_down=True)
        except TwilioException:
            return refused(wire.answer, text, number)
        return _taken(wire.answer, has_receipts=receipt_url is not None)

    client_over(_Wire(exchange)).messages  # noqa: B018  loads what it would otherwise load with the first message
    return send


class _Wire:
    """What Twilio's client calls through, in place of its own. One call each, so that the answer can be looked at."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.answer = Answer(0, b"")

    def request(
        self,
        method: str,
        url: str,
        data: Mapping[str, object],
        headers: Mapping[str, str],
        auth: tuple[str, str],
        **_: object,
    ) -> Any:
        """Raises NoAnswer. The client gets to see no more than the status, since the answer may be anybody's."""
        from twilio.http.response import Response  # type: ignore[import-untyped]

        body = urlencode(data, doseq=True).encode()
        self.answer = self._exchange.call(method, url, headers=headers, body=body, login=auth)
        return Response(self.answer.status, "{}")


def _message(
    account: TwilioAccount, number: str, text: str, receipt_url: str | None, life: float | None
) -> dict[str, Any]:
    text = clean(text)
    message: dict[str, Any] = {
        "to": f"{_CHANNEL}{number}" if account.is_whatsapp else number,
        "from_": account.sender,
        "messaging_service_sid": account.messaging_service_sid,
        "status_callback": receipt_url,
        "validity_period": max(1, min(math.ceil(life), _LONGEST_LIFE)) if life is not None else None,
    }
    if account.content_sid:  # whose variables may hold no line breaks
        message |= {"content_sid": account.content_sid, "content_variables": json.dumps({"1": " ".join(text.split())})}
    else:
        message["body"] = text
    return {name: value for name, value in message.items() if value is not None}


def _taken(answer: Answer, *, has_receipts: bool) -> Outcome:
    body = answer.json
    if not isinstance(body, dict) or not isinstance(body.get("sid"), str):
        return not_twilio(answer)
    if body.get("status") in _FAILED:
        code = body.get("error_code")
        return Failed(said(code if isinstance(code, int) else None), answer=f"{body['status']} at once, {body['sid']}")
    follows = "a receipt follows" if has_receipts else "no receipt was asked for"
    return Sent(f"{body.get('status')}, {body['sid']}; {follows}", provider_id=clean(body["sid"]))
