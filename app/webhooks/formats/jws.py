"""The body is a compact JWS (RFC 7515) of the JSON, with HS256: what `jose.jws.verify(body, secret)` reads.

A compact JWS has one signature. While a secret is being replaced, tries are signed with the new and the old one by
turns, so that a receiver that knows only one of them takes the event at the latest at the next try.
"""

from __future__ import annotations

import base64
import hmac
import secrets as random

from app.webhooks.formats.signing import Request, Signing

NAME = "jws"

_HEADER = b'{"alg":"HS256","typ":"JWT"}'  # as most senders have it: some receivers look at typ
_NEW_BYTES = 32
_LONGEST = 500


def new_secret() -> str:
    """A secret for those who bring none."""
    return random.token_urlsafe(_NEW_BYTES)


def problem_of(secret: str) -> str | None:
    """What is wrong with a secret that a client brings: receivers of this format have secrets of any length."""
    return None if 1 <= len(secret) <= _LONGEST else f"A secret has 1 to {_LONGEST} characters"


def signed(body: bytes, signing: Signing) -> Request:
    """The id and the time go along in headers, for those who want to recognise a repeat."""
    secret = signing.secrets[(signing.attempt - 1) % len(signing.secrets)]
    content = _encoded(_HEADER) + b"." + _encoded(body)
    signature = hmac.digest(secret.encode("utf-8", "surrogatepass"), content, "sha256")
    return Request(
        content + b"." + _encoded(signature),
        {
            "Content-Type": "application/jose",
            "webhook-id": signing.message_id,
            "webhook-timestamp": str(signing.timestamp),
        },
    )


def _encoded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")
