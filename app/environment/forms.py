"""The forms of single variables: each says what is wrong, and how it is written instead."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from marshmallow import ValidationError, fields
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

DELIVERY_METHODS = ("email", "sms")

_LONGEST_RETRY_PAUSE = 86_400
_SHORTEST_SECRET, _LONGEST_SECRET = 24, 64  # bytes


class List(fields.Field[tuple[Any, ...]]):
    """A comma-separated list; each item is read by `item`, a function that raises ValueError."""

    def __init__(self, item: Any = str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._item = item

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[Any, ...]:
        try:
            return tuple(self._item(part.strip()) for part in value.split(",") if part.strip())
        except ValueError as error:
            raise ValidationError(str(error)) from None


def pause(text: str) -> float:
    """Seconds. Raises ValueError."""
    seconds = float(text)
    if not 0.1 <= seconds <= _LONGEST_RETRY_PAUSE:
        raise ValueError(f"each pause is 0.1 to {_LONGEST_RETRY_PAUSE} seconds")
    return seconds


class RsaKeyFile(fields.Field[bytes]):
    """The path of a PEM file with an RSA private key; its content is the value."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bytes:
        try:
            content = Path(value).read_bytes()
            key = load_pem_private_key(content, password=None)
        except OSError as error:
            raise ValidationError(f"cannot be read: {error.strerror}.") from None
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ValidationError("holds no private key without a password, in PEM.") from None
        if not isinstance(key, RSAPrivateKey):
            raise ValidationError("holds no RSA key. Make one with: openssl genrsa -out dkim.pem 2048")
        return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def fernet_key(value: str) -> str:
    """Raises ValueError."""
    try:
        if len(value) != len(Fernet.generate_key()):  # two keys without a comma between them would pass for the first
            raise ValueError
        Fernet(value)
    except ValueError:
        raise ValueError(
            "not a Fernet key. Make one with: python -c "
            "'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
        ) from None
    return value


def signing_secret(value: str) -> str:
    """A secret as Standard Webhooks 1.0 has it. Raises ValueError."""
    try:
        length = len(b64decode(value.removeprefix("whsec_"), validate=True))
    except ValueError:
        length = 0
    if not _SHORTEST_SECRET <= length <= _LONGEST_SECRET:
        raise ValueError(
            "not whsec_ and 24 to 64 bytes in base64. Make one with: python -c "
            "'import base64, secrets; print(\"whsec_\" + base64.b64encode(secrets.token_bytes(32)).decode())'"
        )
    return value


def delivery_method(value: str) -> str:
    """Raises ValueError."""
    if value not in DELIVERY_METHODS:
        raise ValueError(f"knows {' and '.join(DELIVERY_METHODS)}, or nothing to switch messages off")
    return value


def region(value: str) -> None:
    """ISO 3166 alpha-2, as phone numbers know it. Raises ValidationError."""
    from phonenumbers import SUPPORTED_REGIONS  # its tables are large, and few ask

    if value not in SUPPORTED_REGIONS:
        raise ValidationError("no country. Write it with the two capital letters of ISO 3166, such as ZM.")


def http_url(value: str) -> None:
    """Raises ValidationError."""
    try:
        url = urlsplit(value)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0 and value.split() == [value]
    except ValueError:  # of the port
        usable = False
    if not usable:
        raise ValidationError("not a URL. It starts with http:// or https:// and a host, e.g. http://auth:4040")


def database_url(value: str) -> None:
    """Raises ValidationError."""
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        url = None
    backend = url.get_backend_name() if url is not None else None
    if url is None or backend not in ("sqlite", "postgresql", "postgres") or (backend == "sqlite" and not url.database):
        raise ValidationError("neither sqlite:////path/to/a-file.db nor postgresql://user:password@host/database.")
