"""Who is told of what, where, and how, as it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.outbox.places import ABROAD
from app.webhooks.event import EventType

MINIMAL, ALL = "minimal", "all"
DESTINATION = ABROAD


@dataclass(frozen=True)
class Wish:
    """What a client asks for. `attributes` is "minimal", "all", or names of attributes.

    `filter` is JSON Logic, `rate_limit` how many a second at most. `topic` is set for those of the older API: they
    get the bare data.
    """

    url: str = field(repr=False)
    event_types: tuple[str, ...]
    format: str = "standard"
    attributes: str | tuple[str, ...] = MINIMAL
    filter: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    description: str = ""
    rate_limit: int | None = None
    topic: str | None = None

    def covers(self, event_type: EventType) -> bool:
        """Whether it names this event type."""
        return any(event_type.is_named_by(pattern) for pattern in self.event_types)


@dataclass(frozen=True)
class Subscription:
    """A wish that is kept. Times are UTC seconds. `secrets` are those that are valid now, the newest first.

    One that is not active is told nothing; `disabled_because` says why, where it was not its client's own doing.
    """

    id: str
    client_id: str
    rev: int
    active: bool
    wish: Wish
    secrets: tuple[str, ...] = field(repr=False)
    created_at: float
    updated_at: float
    failing_since: float | None = None
    disabled_because: str | None = None

    @property
    def destination(self) -> str:
        """What the outbox limits, pauses and retries as one."""
        return destination_of(self.id)


def destination_of(subscription_id: str) -> str:
    """The outbox's name for where a subscription's deliveries go."""
    return DESTINATION + subscription_id
