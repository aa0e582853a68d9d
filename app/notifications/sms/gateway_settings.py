"""The settings of the SMS provider `http`, read and checked as a whole."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from app.environment.values import InvalidSettings
from app.notifications.sms.conditions import condition, path
from app.notifications.sms.gateway import HttpGateway
from app.notifications.sms.templates import Filled, Message, fixed_in_body, fixed_in_url, form, header, json_body, url

_METHODS = ("GET", "POST", "PUT")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+").fullmatch  # RFC 9110 section 5.6.2
_BODIES: Mapping[str, Callable[[str], Filled]] = {
    "application/json": json_body,
    "application/x-www-form-urlencoded": form,
}
_ANYBODY = Message(number="+15550100", text="text", sender="sender", id="id")

Value = TypeVar("Value")


def http_gateway(values: Mapping[str, Any]) -> HttpGateway:
    """From the settings, by the names of their variables. Raises InvalidSettings with every problem at once."""
    reader = _Reader(values)
    method = reader.read("SMS_HTTP_METHOD", _method, default="POST")
    headers = reader.read("SMS_HTTP_HEADERS", _headers, default="{}") or {}
    address = reader.read("SMS_HTTP_URL", url, needed="the gateway's URL")
    body = reader.read("SMS_HTTP_BODY", lambda text: _body(text, method or "POST", headers))
    success = reader.read("SMS_HTTP_SUCCESS", condition, default="status:2xx")
    refused = reader.read("SMS_HTTP_REFUSED", condition)
    message_id = reader.read("SMS_HTTP_MESSAGE_ID", path)
    if not reader.problems:
        reader.problems += _unused(values)
    if reader.problems or method is None or address is None or success is None:
        raise InvalidSettings(reader.problems)
    return HttpGateway(
        method=method,
        url=address,
        headers=headers,
        body=body,
        sender=values.get("SMS_HTTP_SENDER") or "",
        success=success,
        refused=refused,
        message_id=message_id,
        fixed=(*fixed_in_url(values["SMS_HTTP_URL"]), *fixed_in_body(values.get("SMS_HTTP_BODY") or "")),
        timeout=float(values.get("SMS_TIMEOUT") or HttpGateway.timeout),
    )


class _Reader:
    """Reads variables one by one, and keeps what is wrong with them."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.problems: list[str] = []

    def read(
        self, name: str, function: Callable[[str], Value], default: str | None = None, needed: str | None = None
    ) -> Value | None:
        """What `function`, which raises ValueError, makes of the text; None where there is no text, or it is wrong."""
        text = self._values.get(name) or default
        if text is None:
            if needed is not None:
                self.problems.append(f"{name}: missing. It is {needed}")
            return None
        try:
            return function(text)
        except ValueError as error:
            self.problems.append(f"{name}: {error}")
            return None


def _method(text: str) -> str:
    if text.upper() not in _METHODS:
        raise ValueError(f"knows {', '.join(_METHODS)}")
    return text.upper()


def _headers(text: str) -> Mapping[str, Filled]:
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise ValueError('not a JSON object of texts, such as {"Authorization": "Bearer ..."}')
    if wrong := [name for name in given if not _HEADER(name)]:
        raise ValueError(f"{wrong[0]!r} is not a header's name")
    return {name: header(value) for name, value in given.items()}


def _body(text: str, method: str, headers: Mapping[str, Filled]) -> Filled:
    if method == "GET":
        raise ValueError("a GET has none: put the message into the query of SMS_HTTP_URL, or set SMS_HTTP_METHOD")
    types = [value(_ANYBODY) for name, value in headers.items() if name.lower() == "content-type"]
    read = _BODIES.get(types[0].partition(";")[0].strip().lower()) if types else None
    if read is None:
        raise ValueError(
            f"of what form is it? Say so in SMS_HTTP_HEADERS as Content-Type: {' or '.join(_BODIES)}. "
            "For any other write a provider: docs/adding-a-provider.md"
        )
    return read(text)


def _unused(values: Mapping[str, Any]) -> list[str]:
    request = f"{values.get('SMS_HTTP_URL')} {values.get('SMS_HTTP_BODY') or ''}".replace(" ", "")
    missing = [
        names for names in (("{{text}}",), ("{{number}}", "{{digits}}")) if not any(name in request for name in names)
    ]
    return [f"SMS_HTTP_BODY, SMS_HTTP_URL: neither of them has {' or '.join(names)}" for names in missing]
