"""The receivers that FORWARD_ACTIONS_TO lists."""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import unquote_to_bytes

from marshmallow import ValidationError, fields

from app.url_parsing import ForbiddenUrl, target_of

_CREDENTIALS = re.compile(r"([^:/?#]+://)([^/?#]*)@")
_LONGEST_HOST_SHOWN = 80


@dataclass(frozen=True)
class Receiver:
    """One URL that event documents are posted to.

    `name` shows the host and nothing secret. It stays the same when the password or the query of the URL changes, so
    that deliveries which wait are sent with the new one. `url` is without user name and password: `authorization` is
    the header that carries them, None where the URL has none.
    """

    name: str
    host: str
    url: str = field(repr=False)
    authorization: str | None = field(default=None, repr=False)


class Receivers(fields.Field[tuple[Receiver, ...]]):
    """Comma-separated URLs, with http or https, with `user:password@` or without. A URL that stands twice counts once.

    An error names the URL by its place in the list, because the URL may hold a secret.
    """

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[Receiver, ...]:
        urls = dict.fromkeys(part.strip() for part in value.split(",") if part.strip())
        of_this_name: Counter[str] = Counter()
        receivers = []
        for place, url in enumerate(urls, start=1):
            try:
                receivers.append(_receiver(url, of_this_name))
            except ForbiddenUrl as error:
                raise ValidationError(f"URL {place} of the list cannot be used. {error}.") from None
        return tuple(receivers)


def _receiver(url: str, of_this_name: Counter[str]) -> Receiver:
    """Raises ForbiddenUrl."""
    credentials = _CREDENTIALS.match(url)
    if credentials is not None:
        url = credentials[1] + url[credentials.end() :]
    target = target_of(url, allow_http=True)
    address = f"{target.scheme}://{target.host}:{target.port}{target.rest.partition('?')[0]}"
    name = f"{target.host[:_LONGEST_HOST_SHOWN]}-{sha256(address.encode()).hexdigest()[:8]}"
    of_this_name[name] += 1
    if of_this_name[name] > 1:  # they differ in their query or their user alone
        name = f"{name}.{of_this_name[name]}"
    return Receiver(name, target.host, target.url, _basic(credentials[2]) if credentials is not None else None)


def _basic(credentials: str) -> str:
    """The header of HTTP Basic (RFC 7617), from the part of a URL before its @, which is percent-encoded."""
    user, _, password = credentials.partition(":")
    return f"Basic {b64encode(unquote_to_bytes(user) + b':' + unquote_to_bytes(password)).decode('ascii')}"
