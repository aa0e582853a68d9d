"""Tokens of a development server's own, in place of core's, where no AUTH_URL is set."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.access.core_token import AUDIENCE, ISSUER
from app.instance import development_auth_key


def public_key(instance_dir: Path) -> RSAPublicKey:
    """The public half of the throw-away pair."""
    return _private_key(instance_dir).public_key()


def sign(instance_dir: Path, *, lifetime: float = 600.0, **claims: Any) -> str:
    """A token like core's, signed with the throw-away pair."""
    now = int(time.time())
    defaults = {
        "iss": ISSUER,
        "aud": [AUDIENCE],
        "sub": "development",
        "iat": now,
        "exp": now + int(lifetime),
    }
    return jwt.encode(defaults | claims, _private_key(instance_dir), algorithm="RS256")


def _private_key(instance_dir: Path) -> RSAPrivateKey:
    # We made it: to test its primes again would be most of the time that a development server takes to start.
    key = load_pem_private_key(development_auth_key(instance_dir), password=None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, RSAPrivateKey)  # noqa: S101
    return key
