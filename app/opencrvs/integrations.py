"""Core's integrations: the systems that may call it, each with a client id, a secret and scopes.

`{events_url}/integrations` lists them (GET, from 2.1) and registers one (POST, from 2.0.1), with the token of
system/ready. Source: `integrationsRouter` in packages/events of core, whose input takes any text as a scope.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from app.masking import mask
from app.settings import Credentials, Integration

_CONNECT_TIMEOUT = 2.0  # seconds
_LARGEST_ANSWER = 2**20  # bytes; an integration in the list has a few hundred
_LONGEST_REASON = 300
_LIST_NOT_OFFERED = (404, 405)


class IntegrationError(Exception):
    """Core did not do what was asked. The message says why and quotes no secret."""


class ClientIdTakenError(IntegrationError):
    """Another integration at core has the configured client id."""


class Integrations:
    """The integrations of one core. Every call ends at `deadline`, a moment of `time.monotonic`."""

    def __init__(self, events_url: str) -> None:
        self._url = f"{events_url}/integrations"

    def client_ids(self, token: str, deadline: float) -> Mapping[str, frozenset[str]] | None:
        """Return the client ids of all integrations by name, or None where this core does not list them.

        Core does not keep names unique, so one name can have several. Raises IntegrationError.
        """
        status, body = self._call("GET", None, token, deadline)
        if status in _LIST_NOT_OFFERED:
            return None
        if not _is_success(status):
            raise IntegrationError(f"core did not list its integrations: {status}, {_excerpt(body, token)}")
        listed = _parsed(body)
        if not isinstance(listed, list):
            raise IntegrationError(f"core did not list its integrations: {status}, without a JSON list")
        found: dict[str, frozenset[str]] = {}
        for entry in listed:
            match entry:
                case {"id": str(client_id), "name": str(name)}:
                    found[name] = found.get(name, frozenset()) | {client_id.lower()}
                case _:
                    raise IntegrationError(f"core did not list its integrations: {status}, one without id and name")
        return found

    def register(self, integration: Integration, token: str, deadline: float) -> Credentials:
        """Register it, and return the credentials that it has at core, which core sends only here.

        Core before 2.1 ignores `integration.credentials` and makes its own. Raises ClientIdTakenError and
        IntegrationError.
        """
        wanted = integration.credentials
        fields: dict[str, Any] = {"name": integration.name, "scopes": list(integration.scopes)}
        if wanted is not None:
            fields["credentials"] = {"clientId": wanted.client_id, "clientSecret": wanted.client_secret}
        status, body = self._call("POST", fields, token, deadline)
        if status == 409 and wanted is not None:
            raise ClientIdTakenError("another integration at core has the configured client id: configure another one")
        if not _is_success(status):
            hidden = () if wanted is None else (wanted.client_secret,)
            raise IntegrationError(f"core answered {status}: {_excerpt(body, token, *hidden)}")
        match _parsed(body):
            case {"clientId": str(client_id), "clientSecret": str(client_secret), "shaSecret": str(sha_secret)}:
                return Credentials(client_id.lower(), client_secret, sha_secret)
        raise IntegrationError(f"core answered {status} without clientId, clientSecret and shaSecret")

    def _call(self, method: str, fields: Any, token: str, deadline: float) -> tuple[int, bytes]:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise IntegrationError("no time was left to ask core's events service: it is asked at the next call")
        try:
            with requests.request(
                method,
                self._url,
                json=fields,
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                auth=_Bearer(token),
                timeout=(min(_CONNECT_TIMEOUT, remaining), remaining),
                allow_redirects=False,
                stream=True,
            ) as answer:
                return answer.status_code, _read(answer, deadline)
        except (requests.RequestException, HTTPError) as error:
            # Its name only: the message may hold a URL with credentials, or a header.
            unknown = ", and it may have registered the integration all the same" if method == "POST" else ""
            raise IntegrationError(f"core's events service does not answer: {type(error).__name__}{unknown}") from None


class _Bearer(requests.auth.AuthBase):
    """As `auth`, since requests lets a ~/.netrc replace a mere Authorization header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _read(answer: requests.Response, deadline: float) -> bytes:
    content = bytearray()
    while part := answer.raw.read1(65_536, decode_content=True):
        content += part
        if len(content) > _LARGEST_ANSWER:
            raise IntegrationError(f"core answered {answer.status_code} with more than {_LARGEST_ANSWER} bytes")
        if time.monotonic() > deadline:
            raise requests.ReadTimeout
    return bytes(content)


def _is_success(status: int) -> bool:
    return 200 <= status < 300


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _excerpt(body: bytes, *hidden: str) -> str:
    """The beginning of an answer as one line, masked, and without what is hidden, as it is and as JSON writes it."""
    text = body.decode("utf-8", "replace")
    for secret in hidden:
        for form in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
            text = text.replace(form, "***")
    return mask(" ".join(text.split()))[:_LONGEST_REASON] or "nothing"
