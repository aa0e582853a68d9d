"""Tokens of a development server's own, in place of core's, where no AUTH_URL is set."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.access.callers import (
    ANONYMOUS_SUBJECT,
    AUTH_SERVICE_SUBJECT,
    SEEDER_SUBJECT,
    SERVICE_SUBJECT,
    CallerKind,
)
from app.access.core_token import AUDIENCE, ISSUER
from app.access.grants import Grant
from app.instance import development_auth_key

_CLAIMS: Mapping[CallerKind, Mapping[str, str]] = {
    CallerKind.AUTH_SERVICE: {"sub": AUTH_SERVICE_SUBJECT, "userType": "system"},
    CallerKind.SERVICE: {"sub": SERVICE_SUBJECT, "userType": "system"},
    CallerKind.SEEDER: {"sub": SEEDER_SUBJECT},
    CallerKind.ANONYMOUS: {"sub": ANONYMOUS_SUBJECT, "userType": "system"},
    CallerKind.USER: {"userType": "user"},
    CallerKind.SYSTEM: {"userType": "system"},
}


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


def sign_for(instance_dir: Path, grants: Sequence[Grant]) -> str:
    """Return a token like the one that core sends with a call that has these grants: one of the first that fits."""
    return sign(instance_dir, **claims_for(grants))


def claims_for(grants: Sequence[Grant]) -> dict[str, Any]:
    """Return claims that one of the grants fits, each time of another user, as limits count for each of them.

    Raises ValueError if the grants are for callers without a token only.
    """
    for grant in grants:
        for kind, claims in _CLAIMS.items():
            if kind in grant.kinds:
                return {"sub": str(uuid4()), **claims, "scope": [f"type={scope}" for scope in sorted(grant.scopes)[:1]]}
    raise ValueError("no token fits: send this without one")


def _private_key(instance_dir: Path) -> RSAPrivateKey:
    # We made it: to test its primes again would be most of the time that a development server takes to start.
    key = load_pem_private_key(development_auth_key(instance_dir), password=None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, RSAPrivateKey)  # noqa: S101
    return key
