"""Registering integrations at core: other systems that may call it, each with scopes of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import requests

from app.masking import mask

_TIMEOUT = (3.0, 15.0)  # seconds to connect, to read
_LONGEST_ANSWER = 65_536  # bytes
_LONGEST_REASON = 300
_CREDENTIALS = ("clientId", "clientSecret", "shaSecret")


class IntegrationRefused(Exception):
    """Core did not register it; the message says why and quotes no secret."""


class Integrations:
    """`POST {events_url}/integrations`, with the token of the ready trigger."""

    def __init__(self, events_url: str, *, timeout: tuple[float, float] = _TIMEOUT) -> None:
        self._url = f"{events_url}/integrations"
        self._timeout = timeout

    def register(self, name: str, scopes: Sequence[str], token: str) -> dict[str, str]:
        """clientId, clientSecret and shaSecret, which core tells once. Raises IntegrationRefused."""
        try:
            with requests.post(
                self._url,
                json={"name": name, "scopes": list(scopes)},
                headers={"Authorization": f"Bearer {token}"},
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as answer:
                body = answer.raw.read(_LONGEST_ANSWER, decode_content=True)
                if not answer.ok:
                    raise IntegrationRefused(f"core answered {answer.status_code}: {_excerpt(body)}")
                return _credentials(answer.status_code, body)
        except requests.RequestException as error:
            raise IntegrationRefused(f"core's events service does not answer: {type(error).__name__}") from None


def _credentials(status: int, body: bytes) -> dict[str, str]:
    try:
        given: Any = json.loads(body)
    except ValueError:
        given = None
    if not isinstance(given, dict) or not all(isinstance(given.get(name), str) for name in _CREDENTIALS):
        raise IntegrationRefused(f"core answered {status} without {', '.join(_CREDENTIALS)}")
    return {name: given[name] for name in _CREDENTIALS}


def _excerpt(body: bytes) -> str:
    text = " ".join(body.decode("utf-8", "replace").split())
    return mask(text)[:_LONGEST_REASON] or "nothing"
