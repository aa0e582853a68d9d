"""Templates of a request to an SMS gateway: `{{number}}` and its like, filled so that no value changes the structure.

How a value is written depends on where it stands: percent-encoded in a URL and in a form, inside a string in JSON, as
it is in a header. Where a value could do harm nevertheless, its placeholder is refused when the template is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, unquote_plus, urlsplit

from app.cleaning import clean

NAMES = ("number", "digits", "text", "sender", "id")
_PLAIN = ("number", "digits", "id")  # letters, digits, + and - only, whoever the recipient is
_SHORTEST_FIXED = 6  # characters; a shorter one stands in many an innocent answer
_PLACEHOLDER = re.compile(r"(?<!\{)\{\{\s*+([^\s{}]*+(?:\s++[^\s{}]++)*+)\s*+\}\}")


@dataclass(frozen=True)
class Message:
    """What the placeholders stand for. `number` is E.164, `id` stays the same over retries."""

    number: str
    text: str
    sender: str
    id: str

    @property
    def values(self) -> Mapping[str, str]:
        """By the names of the placeholders; `digits` is the number without its +."""
        digits = self.number.removeprefix("+")
        values = {"number": self.number, "digits": digits, "text": self.text, "sender": self.sender, "id": self.id}
        return {name: clean(value) for name, value in values.items()}


Filled = Callable[[Message], str]


def url(template: str) -> Filled:
    """An http(s) URL. Only the query may hold every placeholder. Raises ValueError."""
    template = _PLACEHOLDER.sub(r"{{\1}}", template)
    parts = urlsplit(template)
    if parts.scheme not in ("http", "https") or not parts.hostname or template.split() != [template]:
        raise ValueError("not a URL. It starts with http:// or https:// and a host, and a space in it is %20")
    if parts.username or parts.password:
        raise ValueError("a login does not belong into it: put it into SMS_HTTP_HEADERS, as Authorization")
    if "{{" in parts.scheme + parts.netloc or parts.fragment:
        raise ValueError("placeholders stand in its path or its query, and it has no #")
    _check(parts.path, _PLAIN, "its path")
    _check(parts.query, NAMES, "its query")
    return lambda message: _replaced(template, message, _percent_encoded)


def header(template: str) -> Filled:
    """A header's value. Raises ValueError."""
    if not template.isascii() or not template.isprintable() or template.strip() != template:
        raise ValueError("a header's value is printable ASCII, without space around it")
    _check(template, _PLAIN, "a header")
    return lambda message: _replaced(template, message, str)


def form(template: str) -> Filled:
    """A body of the type application/x-www-form-urlencoded. Raises ValueError."""
    template = _PLACEHOLDER.sub(r"{{\1}}", template)
    if template.split() != [template]:
        raise ValueError("a form is name=value&name=value; a space in it is %20")
    _check(template, NAMES, "the form")
    return lambda message: _replaced(template, message, _percent_encoded)


def json_body(template: str) -> Filled:
    """A body of the type application/json. Raises ValueError."""
    try:
        parsed = json.loads(template)
    except (ValueError, RecursionError):
        raise ValueError('not JSON. A placeholder stands inside quotes: {"to": "{{number}}"}') from None
    _check_json(parsed)
    return lambda message: json.dumps(_filled(parsed, message))


def fixed_in_url(template: str) -> tuple[str, ...]:
    """The values in the query of a URL that are the same for every message, as they stand there and decoded."""
    return _fixed(_form_values(urlsplit(_PLACEHOLDER.sub(r"{{\1}}", template)).query))


def fixed_in_body(template: str) -> tuple[str, ...]:
    """The same for a body, be it a form or JSON."""
    try:
        parsed = json.loads(template)
    except (ValueError, RecursionError):
        return _fixed(_form_values(template))
    return _fixed(_strings(parsed))


def _fixed(values: Iterator[str]) -> tuple[str, ...]:
    return tuple(one for one in dict.fromkeys(values) if len(one) >= _SHORTEST_FIXED and not _PLACEHOLDER.search(one))


def _form_values(form: str) -> Iterator[str]:
    for pair in form.split("&"):
        value = pair.partition("=")[2]
        yield from (value, unquote(value), unquote_plus(value))


def _strings(parsed: Any) -> Iterator[str]:
    match parsed:
        case str():
            yield parsed
        case list():
            for item in parsed:
                yield from _strings(item)
        case dict():
            for item in parsed.values():
                yield from _strings(item)


def _check(text: str, allowed: tuple[str, ...], where: str) -> None:
    """Raises ValueError for a placeholder that is unknown, is not closed, or must not stand there."""
    if "{{" in _PLACEHOLDER.sub("", text):
        raise ValueError("a {{ has no }}")
    for name in _PLACEHOLDER.findall(text):
        if name not in NAMES:
            raise ValueError(f"{{{{{name}}}}} is not known; there are {', '.join(NAMES)}")
        if name not in allowed:
            raise ValueError(f"{{{{{name}}}}} cannot stand in {where}, which takes {', '.join(allowed) or 'none'}")


def _check_json(parsed: Any) -> None:
    if isinstance(parsed, str):
        _check(parsed, NAMES, "the body")
    if isinstance(parsed, list):
        for item in parsed:
            _check_json(item)
    if isinstance(parsed, dict):
        for name, item in parsed.items():
            _check(name, (), "a name in JSON")
            _check_json(item)


def _filled(parsed: Any, message: Message) -> Any:
    """The JSON with its strings filled: they stay strings, so that the structure stays what it is."""
    if isinstance(parsed, str):
        return _replaced(parsed, message, str)
    if isinstance(parsed, list):
        return [_filled(item, message) for item in parsed]
    if isinstance(parsed, dict):
        return {name: _filled(item, message) for name, item in parsed.items()}
    return parsed


def _replaced(template: str, message: Message, written: Callable[[str], str]) -> str:
    """All at once, so that a placeholder in a value is not taken for one of the template's."""
    values = message.values
    return _PLACEHOLDER.sub(lambda match: written(values[match.group(1)]), template)


def _percent_encoded(value: str) -> str:
    return quote(value, safe="")
