"""The public key of core's auth service, fetched, kept, and fetched again when it may have changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

import requests
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from urllib3.exceptions import HTTPError

log = structlog.get_logger()

REFETCH_AFTER = 60.0  # seconds; a wrong token must not make us ask more often
_RETRY_AFTER = 2.0  # seconds between tries while there is no key at all
_TIMEOUT = (3.0, 5.0)  # to connect, to read
_LONGEST = 16_384  # bytes; a PEM key has less than a thousand


class KeyUnavailable(Exception):
    """The auth service gave no key, so that no token can be judged."""


class PublicKey(Protocol):
    """Where the key comes from. `generation` grows when it changes."""

    generation: int

    def current(self) -> RSAPublicKey:
        """The key as known. Raises KeyUnavailable."""

    def refreshed(self, since: int) -> bool:
        """Look for a new key, unless that was done a moment ago. True where there is one since that generation."""


class FixedKey:
    """A key that never changes: the one that a development server makes for itself."""

    generation = 0

    def __init__(self, key: RSAPublicKey) -> None:
        self._key = key

    def current(self) -> RSAPublicKey:
        return self._key

    def refreshed(self, since: int) -> bool:  # noqa: ARG002  a PublicKey's
        return False


class FetchedKey:
    """The PEM text at `{auth_url}/.well-known`. Safe for threads; one asks, the others wait for its answer."""

    def __init__(
        self, auth_url: str, *, clock: Callable[[], float] = time.monotonic, timeout: tuple[float, float] = _TIMEOUT
    ) -> None:
        self._url = f"{auth_url}/.well-known"
        self._clock = clock
        self._timeout = timeout
        self._lock = threading.Lock()
        self._key: RSAPublicKey | None = None
        self._pem = b""
        self._asked_at = float("-inf")
        self.generation = 0

    def current(self) -> RSAPublicKey:
        if self._key is None:
            self._fetch(_RETRY_AFTER)
        if self._key is None:
            raise KeyUnavailable(f"No key from {self._url}. Is AUTH_URL right, and the auth service up?")
        return self._key

    def refreshed(self, since: int) -> bool:
        self._fetch(REFETCH_AFTER)
        return self.generation != since

    def _fetch(self, not_within: float) -> None:
        with self._lock:
            if self._clock() - self._asked_at < not_within:
                return
            try:
                pem = self._get()
                key = load_pem_public_key(pem)
            except (requests.RequestException, HTTPError, ValueError, UnsupportedAlgorithm) as error:
                log.error("auth_key.unavailable", url=self._url, error=type(error).__name__)
                return
            finally:
                self._asked_at = self._clock()  # of the answer: who waited for a slow one need not ask again
            if not isinstance(key, RSAPublicKey):
                log.error("auth_key.unavailable", url=self._url, error="not an RSA key")
                return
            if pem != self._pem:
                self._key, self._pem = key, pem
                self.generation += 1
                log.info("auth_key.fetched", url=self._url)

    def _get(self) -> bytes:
        with requests.get(self._url, timeout=self._timeout, allow_redirects=False, stream=True) as answer:
            answer.raise_for_status()
            return bytes(answer.raw.read(_LONGEST, decode_content=True))
