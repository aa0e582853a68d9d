"""Core's tokens: RS256, issued by its auth service, for us."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jwt

from app.opencrvs.public_key import PublicKey

ISSUER = "opencrvs:auth-service"
AUDIENCE = "opencrvs:countryconfig-user"
LEEWAY = 60.0  # seconds that core's clock may differ from ours
LONGEST_TOKEN = 16_384  # characters; core's have about a thousand
_CACHED_TOKENS = 2_048

Claims = Mapping[str, Any]


class InvalidToken(Exception):
    """The token is not one of core's, or not for us, or not valid now. The message may be shown to the caller."""


class CoreTokens:
    """Verifies tokens. Those verified are kept until they expire, since the RSA check costs more than all else."""

    def __init__(
        self, key: PublicKey, audience: str | Sequence[str] = AUDIENCE, clock: Callable[[], float] = time.time
    ) -> None:
        self._key = key
        self._audience = audience
        self._clock = clock
        self._verified: OrderedDict[bytes, tuple[Claims, float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def verify(self, token: str) -> Claims:
        """The claims of the token. Raises InvalidToken, and KeyUnavailable where core's key cannot be had."""
        if len(token) > LONGEST_TOKEN:
            raise InvalidToken("the token is too long to be one of core's")
        fingerprint = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        claims = self._cached(fingerprint)
        if claims is None:
            claims, generation = self._verified_now(token)
            self._keep(fingerprint, claims, generation)
        return claims

    def _verified_now(self, token: str) -> tuple[Claims, int]:
        """The claims, and the generation of the key; read before the key is, so that none passes for a newer one's."""
        generation = self._key.generation
        try:
            return self._decoded(token), generation
        except jwt.InvalidSignatureError:
            if not self._key.refreshed(since=generation):
                raise InvalidToken("the token is not signed by core") from None
        except jwt.InvalidTokenError as error:
            raise InvalidToken(_in_words(error)) from None
        generation = self._key.generation
        try:
            return self._decoded(token), generation
        except jwt.InvalidTokenError as error:
            raise InvalidToken(_in_words(error)) from None

    def _decoded(self, token: str) -> Claims:
        if not token.isascii():
            raise jwt.DecodeError
        decoded: Claims = jwt.decode(
            token,
            self._key.current(),
            algorithms=["RS256"],
            issuer=ISSUER,
            audience=self._audience,
            leeway=LEEWAY,
            options={"require": ["exp", "iss", "aud"]},
        )
        return decoded

    def _cached(self, fingerprint: bytes) -> Claims | None:
        with self._lock:
            found = self._verified.get(fingerprint)
            if found is None:
                return None
            claims, expires_at, generation = found
            if self._clock() >= expires_at or generation != self._key.generation:
                del self._verified[fingerprint]
                return None
            return claims

    def _keep(self, fingerprint: bytes, claims: Claims, generation: int) -> None:
        try:
            expires_at = float(claims["exp"])
        except OverflowError:
            raise InvalidToken("the token's exp is no time") from None
        with self._lock:
            self._verified[fingerprint] = (claims, expires_at, generation)
            while len(self._verified) > _CACHED_TOKENS:
                self._verified.popitem(last=False)


def _in_words(error: jwt.InvalidTokenError) -> str:
    """The first of these that fits; PyJWT's own messages may quote the token."""
    reasons: list[tuple[type[jwt.InvalidTokenError], str]] = [
        (jwt.InvalidSignatureError, "the token is not signed by core"),
        (jwt.ExpiredSignatureError, "the token has expired"),
        (jwt.ImmatureSignatureError, "the token is not valid yet"),
        (jwt.InvalidIssuerError, "the token was not issued by core's auth service"),
        (jwt.InvalidAudienceError, "the token is not meant for the country config"),
        (jwt.InvalidAlgorithmError, "the token is not signed with RS256"),
        (jwt.MissingRequiredClaimError, "the token lacks one of the claims exp, iss and aud"),
    ]
    return next((words for kind, words in reasons if isinstance(error, kind)), "this is not a valid token")
