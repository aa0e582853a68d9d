"""Tokens like core's, and tokens that pretend to be."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.access.core_token import AUDIENCE, ISSUER

Sign = Callable[[bytes], bytes]


@cache
def private_key(name: str) -> RSAPrivateKey:
    """The same key for the same name, in one run."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(key: RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def claims(**changes: Any) -> dict[str, Any]:
    """Those of a valid token; a change to None takes the claim out."""
    now = int(time.time())
    valid = {"iss": ISSUER, "aud": ["opencrvs:gateway-user", AUDIENCE], "sub": "auth", "iat": now, "exp": now + 600}
    return {name: value for name, value in (valid | changes).items() if value is not None}


def signed(key: RSAPrivateKey, **changes: Any) -> str:
    """A token that is core's where the key is, with these claims changed."""
    return crafted({"alg": "RS256", "typ": "JWT"}, claims(**changes), rs256(key))


def rs256(key: RSAPrivateKey) -> Sign:
    return lambda content: key.sign(content, PKCS1v15(), SHA256())


def hs256(secret: bytes) -> Sign:
    return lambda content: hmac.new(secret, content, hashlib.sha256).digest()


def crafted(header: Any, payload: Any, sign: Sign) -> str:
    """Any header and payload, as JSON values or as bytes, in the form of a token."""
    content = b".".join(_encoded(part if isinstance(part, bytes) else _json(part)) for part in (header, payload))
    return b".".join((content, _encoded(sign(content)))).decode()


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _encoded(part: bytes) -> bytes:
    return urlsafe_b64encode(part).rstrip(b"=")
