"""Where providers send receipts: a URL for each delivery, so that a receipt finds it whenever it comes.

Twilio signs what it sends. Infobip does not, so that its URLs hold a token each, which is good for one delivery only.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

_TOKEN_LENGTH = 32  # hexadecimal digits, 128 bits


class Forged(Exception):
    """Not from the provider, as far as can be told: nothing is believed."""


class NotAReceipt(Exception):
    """From the provider, and not of the form that is known. The text quotes nothing of it."""


class ReceiptAddresses:
    """`base` is the URL of /receipts as the internet sees it. Of the `keys`, the first makes tokens, all check them."""

    def __init__(self, base: str, keys: Sequence[str]) -> None:
        self._base = base.rstrip("/")
        self._keys = [hmac.digest(key.encode(), b"receipts", "sha256") for key in keys]

    def of_twilio(self, delivery_id: str) -> str:
        """Receipts come to {base}/twilio/{delivery id}."""
        return f"{self._base}/twilio/{delivery_id}"

    def of_infobip(self, delivery_id: str) -> str:
        """Reports come to {base}/infobip/{delivery id}/{token}."""
        return f"{self._base}/infobip/{delivery_id}/{_token(self._keys[0], delivery_id)}"

    def check(self, delivery_id: str, token: str) -> None:
        """Raises Forged unless the token was made for this delivery."""
        given = _bytes(token)
        fits = [hmac.compare_digest(_bytes(_token(key, delivery_id)), given) for key in self._keys]
        if not any(fits):
            raise Forged("the token in the URL is not one of ours for this delivery")


def _token(key: bytes, delivery_id: str) -> str:
    return hmac.digest(key, _bytes(delivery_id), "sha256").hex()[:_TOKEN_LENGTH]


def _bytes(text: str) -> bytes:
    """Of any text, since what stands in a URL is anybody's."""
    return text.encode("utf-8", "surrogatepass")
