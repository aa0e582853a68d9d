"""Encryption of what is kept, and keyed fingerprints of it."""

from __future__ import annotations

import hashlib
import hmac
import json
import zlib
from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class UnknownKey(Exception):
    """What is kept was encrypted with a key that is not in SECRET_KEY."""

    def __init__(self) -> None:
        super().__init__(
            "Encrypted with a key that is not in SECRET_KEY: put the old key back, behind the new one and a comma"
        )


class Cipher:
    """Fernet under one or several keys: the first encrypts, all decrypt.

    JSON goes in and out. Lone surrogates and U+0000, which core's schemas allow, survive because the JSON is ASCII.
    What JSON does not know, such as the date in a country's own trigger, comes out as text.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        # Keyed apart from the encryption, by the oldest key, which outlives the adding of a newer one.
        self._fingerprint_key = hmac.digest(keys[-1].encode(), b"fingerprint", "sha256")

    def encrypt(self, value: Any) -> bytes:
        return self._fernet.encrypt(json.dumps(value, separators=(",", ":"), default=str).encode("ascii"))

    def encrypt_received(self, body: bytes) -> bytes:
        """The same for JSON that is UTF-8 already, kept byte for byte, and compressed: event documents are large."""
        return self._fernet.encrypt(zlib.compress(body, level=1))

    def decrypt(self, token: bytes) -> Any:
        """What either has encrypted. Raises UnknownKey where no key fits."""
        try:
            content = self._fernet.decrypt(token)
        except InvalidToken:
            raise UnknownKey from None
        # No JSON starts with the first byte of a zlib stream: RFC 1950 section 2.2.
        return json.loads(zlib.decompress(content) if content[:1] == b"\x78" else content)

    def fingerprint(self, *parts: Any) -> str:
        """The same for equal JSON values, in any order of their keys; tells nothing without the key."""
        canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str).encode("ascii")
        return hmac.new(self._fingerprint_key, canonical, hashlib.sha256).hexdigest()
