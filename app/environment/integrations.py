"""The forms of INTEGRATIONS and of a client id of core's."""

from __future__ import annotations

import json
import uuid
from typing import Any

from marshmallow import ValidationError, fields

from app.environment.values import Credentials, Integration

MAKE_A_CLIENT_ID = "python -c 'import uuid; print(uuid.uuid4())'"

_FORM = (
    'not a JSON list of {"name": "...", "scopes": ["..."]}, each with optional '
    '"credentials": {"clientId": "...", "clientSecret": "..."}'
)


class ClientId(fields.Field[str]):
    """A client id at core, which takes UUIDs of the versions 1 to 8 with dashes; the value is in small letters."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not _is_client_id(value):
            raise ValidationError(f"not a UUID, and core takes no other client id. Make one with: {MAKE_A_CLIENT_ID}")
        client_id: str = value.lower()
        return client_id


class Integrations(fields.Field[tuple[Integration, ...]]):
    """A JSON list of {"name", "scopes", "credentials"?}."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[Integration, ...]:
        try:
            integrations = tuple(_integration(entry) for entry in json.loads(value))
        except (ValueError, TypeError, KeyError, RecursionError):
            raise ValidationError(_FORM) from None
        if len({integration.name for integration in integrations}) != len(integrations):
            raise ValidationError("names an integration twice")
        return integrations


def _integration(entry: Any) -> Integration:
    """Raises ValidationError for wrong credentials; ValueError, TypeError and KeyError for another form."""
    name, scopes, credentials = entry["name"], entry["scopes"], entry.get("credentials")
    if not _is_text(name) or not isinstance(scopes, list) or not all(_is_text(scope) for scope in scopes):
        raise ValueError
    return Integration(name, tuple(scopes), None if credentials is None else _credentials(name, credentials))


def _credentials(name: str, given: Any) -> Credentials:
    if not isinstance(given, dict) or not _is_text(given.get("clientId")) or not _is_text(given.get("clientSecret")):
        raise ValidationError(f"the credentials of {name} need both clientId and clientSecret, or leave them out")
    if not _is_client_id(given["clientId"]):
        raise ValidationError(f"the clientId of {name} is not a UUID. Make one with: {MAKE_A_CLIENT_ID}")
    return Credentials(given["clientId"].lower(), given["clientSecret"])


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_client_id(value: str) -> bool:
    try:
        parsed = uuid.UUID(value)
    except ValueError:
        return False
    return str(parsed) == value.lower() and parsed.version in range(1, 9)
