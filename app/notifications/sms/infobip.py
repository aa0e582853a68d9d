"""The SMS provider `infobip`: `POST {INFOBIP_GATEWAY_ENDPOINT}`, by its SMS API of version 2.

A message goes out under the id of its delivery, so that Infobip refuses the same one a second time: after an answer
that was lost. Its logs then say what became of the first.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from app.cleaning import clean
from app.environment.values import InvalidSettings
from app.notifications.sms.exchange import Answer, Exchange, NoAnswer
from app.notifications.sms.infobip_statuses import Standing, status_of
from app.notifications.sms.sender import Provider
from app.outbox.delivery import Failed, Outcome, Retry, Sent

_LOGS = "/sms/1/logs"  # of the last 48 hours
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class InfobipAccount:
    """`endpoint` is the whole URL that messages are sent to, such as https://x.api.infobip.com/sms/2/text/advanced."""

    endpoint: str
    api_key: str = field(repr=False)
    sender: str
    timeout: float = 10.0


def infobip_account(values: Mapping[str, Any]) -> InfobipAccount:
    """From the settings, by the names of their variables. Raises InvalidSettings."""
    wanted = {
        "INFOBIP_GATEWAY_ENDPOINT": "the URL messages are sent to, e.g. https://x.api.infobip.com/sms/2/text/advanced",
        "INFOBIP_API_KEY": "a key of Infobip's portal, with the scopes sms:message:send and sms:logs:read",
        "INFOBIP_SENDER_ID": "the sender as registered at Infobip",
    }
    if problems := [f"{name}: missing. It is {what}" for name, what in wanted.items() if not values.get(name)]:
        raise InvalidSettings(problems)
    return InfobipAccount(
        values["INFOBIP_GATEWAY_ENDPOINT"],
        values["INFOBIP_API_KEY"],
        values["INFOBIP_SENDER_ID"],
        float(values.get("SMS_TIMEOUT") or InfobipAccount.timeout),
    )


def infobip_provider(account: InfobipAccount, receipt_url: Callable[[str], str] | None = None) -> Provider:
    """`receipt_url` says where the reports on a delivery, by its id, are to be sent; None asks for none."""
    exchange = Exchange(account.timeout)
    headers = {"Authorization": f"App {account.api_key}", "Accept": "application/json"}
    logs = urlunsplit(urlsplit(account.endpoint)._replace(path=_LOGS, query="", fragment=""))

    def send(number: str, text: str, delivery_id: str, life: float | None = None) -> Outcome:
        hidden = (text, number, number.removeprefix("+"), account.api_key)
        message = _message(account.sender, number, text, receipt_url and receipt_url(delivery_id))
        if life is not None:
            message["validityPeriod"] = max(1, math.ceil(life / 60))  # minutes
        try:
            answer = submitted(message, delivery_id)
            if _standing(answer) is Standing.REPEATED:
                earlier = _of_earlier(exchange.call("GET", _with(logs, delivery_id), headers=headers), delivery_id)
                if earlier is not None:
                    return earlier
                answer = submitted(message, None)
        except NoAnswer as error:
            return Retry(f"Infobip: {error}", destination_down=True)
        return _outcome(answer, hidden, has_receipts=receipt_url is not None)

    def submitted(message: Mapping[str, Any], message_id: str | None) -> Answer:
        destination = message["destinations"][0] | ({"messageId": message_id} if message_id else {})
        body = json.dumps({"messages": [{**message, "destinations": [destination]}]}).encode("ascii")
        return exchange.call("POST", account.endpoint, headers=headers | _JSON, body=body)

    return send


def _message(sender: str, number: str, text: str, receipt_url: str | None) -> dict[str, Any]:
    message = {"destinations": [{"to": number.removeprefix("+")}], "from": sender, "text": clean(text)}
    return message | ({"notifyUrl": receipt_url, "notifyContentType": "application/json"} if receipt_url else {})


def _with(logs: str, message_id: str) -> str:
    return f"{logs}?{urlencode({'messageId': message_id})}"


def _of_earlier(logs: Answer, message_id: str) -> Outcome | None:
    """What is known of the first message with this id: None where it is not on its way, so that it is sent anew."""
    if not logs.is_fine:
        advice = "" if logs.is_for_later else ". Check that INFOBIP_API_KEY has the scope sms:logs:read"
        said = f"Infobip had a message with this id, and its logs cannot be read: answered {logs.status}{advice}"
        return Retry(said, after=logs.retry_after)
    results = logs.json.get("results") if isinstance(logs.json, dict) else None
    for result in results if isinstance(results, list) else ():
        status = status_of(result.get("status")) if isinstance(result, dict) else None
        if status is not None and status.standing in (Standing.ON_ITS_WAY, Standing.ARRIVED):
            return Sent(f"taken at an earlier try; {status.words}", provider_id=message_id)
    return None


def _standing(answer: Answer) -> Standing | None:
    status = status_of(_first(answer).get("status"))
    return None if status is None or not answer.is_fine else status.standing


def _first(answer: Answer) -> dict[str, Any]:
    """The only message of an answer, {} where there is none."""
    match answer.json:
        case {"messages": [dict(message), *_]}:
            return message
    return {}


def _outcome(answer: Answer, hidden: tuple[str, ...], *, has_receipts: bool) -> Outcome:
    if not answer.is_fine:
        return _refused(answer, hidden)
    message = _first(answer)
    status = status_of(message.get("status"))
    if status is None:
        said = f"answered {answer.status}, and not by Infobip"
        return Retry(f"{said}. Is INFOBIP_GATEWAY_ENDPOINT right?", destination_down=True)
    match status.standing:
        case Standing.REFUSED:
            return Failed(status.words, answer=answer.excerpt(*hidden))
        case Standing.LATER | Standing.REPEATED:
            return Retry(status.words)
        case Standing.LATER_FOR_ALL:
            return Retry(status.words, destination_down=True)
    follows = "a report follows" if has_receipts else "no report was asked for"
    message_id = message.get("messageId")
    return Sent(f"{status.words}; {follows}", provider_id=clean(message_id) if isinstance(message_id, str) else None)


def _refused(answer: Answer, hidden: tuple[str, ...]) -> Outcome:
    said = f"Infobip answered {answer.status}: {answer.excerpt(*hidden)}"
    if answer.is_for_later:
        return Retry(said, destination_down=True, after=answer.retry_after)
    if answer.status in (401, 403):
        advice = "Check INFOBIP_API_KEY, and that it has the scope sms:message:send"
        return Retry(f"{said}. {advice}", destination_down=True)
    if answer.status == 400 and isinstance(answer.json, dict):
        return Failed(said)
    return Retry(f"{said}. Is INFOBIP_GATEWAY_ENDPOINT right?", destination_down=True)
