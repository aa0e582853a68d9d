"""What the API answers about subscriptions and their deliveries."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row

from app.outbox.states import State
from app.webhooks.event import timestamp
from app.webhooks.subscription import Subscription

_HIDDEN = "***"


def shown(subscription: Subscription) -> dict[str, Any]:
    """A subscription without its secrets: those were told once, and values of headers are known to their owner."""
    wish = subscription.wish
    return {
        "id": subscription.id,
        "rev": subscription.rev,
        "url": wish.url,
        "eventTypes": list(wish.event_types),
        "mode": "notify",
        "format": wish.format,
        "filter": wish.filter,
        "attributes": wish.attributes if isinstance(wish.attributes, str) else list(wish.attributes),
        "headers": dict.fromkeys(wish.headers, _HIDDEN),
        "description": wish.description,
        "rateLimit": wish.rate_limit,
        "topic": wish.topic,
        "active": subscription.active,
        "disabledBecause": subscription.disabled_because,
        "failingSince": _time(subscription.failing_since),
        "secretsValid": len(subscription.secrets),
        "createdAt": _time(subscription.created_at),
        "updatedAt": _time(subscription.updated_at),
    }


def shown_delivery(row: Row[Any]) -> dict[str, Any]:
    """A delivery with its last try; `row` has the columns of both."""
    return {
        "id": row.id,
        "eventType": row.message,
        "state": "retrying" if row.state == State.QUEUED and row.attempts else row.state,
        "attempts": row.attempts,
        "reason": row.reason,
        "lastAnswer": row.answer,
        "createdAt": _time(row.created_at),
        "dueAt": _time(row.due_at) if row.state == State.QUEUED else None,
        "endedAt": _time(row.ended_at),
    }


def host_of(url: str) -> str:
    """What may be logged of an address."""
    return urlsplit(url).hostname or ""


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else timestamp(seconds)
