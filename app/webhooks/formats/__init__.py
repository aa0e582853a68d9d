"""How an event is signed and put into a request: a file for each format.

A format is a module with `NAME`, `new_secret()`, `problem_of(secret)` (what is wrong with a secret that a client
brings, None for a good one) and `signed(body, signing)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from app.webhooks.formats import jws, standard
from app.webhooks.formats.signing import Request, Signing

__all__ = ["FORMATS", "Format", "Request", "Signing"]


class Format(Protocol):
    """What a module of this package has."""

    NAME: str

    def new_secret(self) -> str: ...
    def problem_of(self, secret: str) -> str | None: ...
    def signed(self, body: bytes, signing: Signing) -> Request: ...


FORMATS: Mapping[str, Format] = {module.NAME: module for module in (standard, jws)}
