"""What goes into signing a request, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Signing:
    """`message_id` is the same for each try, `timestamp` (UTC seconds) is the try's own, `attempt` counts from 1.

    `secrets` has the newest first; while one is being replaced, the old one is behind it.
    """

    message_id: str
    timestamp: int
    attempt: int
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Request:
    """The exact bytes that are sent, and the headers that belong to them."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str]
