"""Standard Webhooks 1.0 (https://www.standardwebhooks.com): JSON, signed with HMAC-SHA256 in a header."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets as random

from app.webhooks.formats.signing import Request, Signing

NAME = "standard"

_PREFIX = "whsec_"
_NEW_BYTES = 32
_SHORTEST, _LONGEST = 24, 64  # bytes, as the specification has it


def new_secret() -> str:
    """A secret in the form of the specification."""
    return _PREFIX + base64.b64encode(random.token_bytes(_NEW_BYTES)).decode("ascii")


def problem_of(secret: str) -> str | None:
    """What is wrong with a secret that a client brings."""
    try:
        length = len(_key(secret))
    except (binascii.Error, ValueError):
        length = 0
    if _SHORTEST <= length <= _LONGEST:
        return None
    return (
        f"A secret of this format is {_PREFIX} and {_SHORTEST} to {_LONGEST} bytes in base64; leave it out to get one"
    )


def signed(body: bytes, signing: Signing) -> Request:
    """One signature for each secret, all in one header: a receiver takes the request if it can check any of them."""
    content = f"{signing.message_id}.{signing.timestamp}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.digest(_key(secret), content, "sha256")).decode("ascii")
        for secret in signing.secrets
    ]
    return Request(
        body,
        {
            "Content-Type": "application/json",
            "webhook-id": signing.message_id,
            "webhook-timestamp": str(signing.timestamp),
            "webhook-signature": " ".join(signatures),
        },
    )


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
