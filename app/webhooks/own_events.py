"""The events that come from the webhooks themselves: a try-out, and that a subscription was disabled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from app.database.engine import Database
from app.encryption import Cipher
from app.outbox import intake, store
from app.outbox.delivery import NewDelivery, Trigger
from app.webhooks.event import Category, Event, EventType, event_id

TEST = "webhooks:test"  # no trigger that is called has a colon in its path
DISABLED = "webhooks:disabled"

SUBSCRIPTION_DISABLED = EventType(
    name="operational.subscription.disabled",
    topic="operational",
    category=Category.OPERATIONAL,
    description="One of your subscriptions was disabled, because its receiver said 410 or took nothing for five days.",
    schema={
        "type": "object",
        "properties": {
            "subscriptionId": {"type": "string", "format": "uuid"},
            "description": {"type": "string"},
            "reason": {"type": "string"},
        },
        "required": ["subscriptionId", "description", "reason"],
    },
    example={
        "subscriptionId": "01975a3e-7f10-7d53-9d0b-5a1c7f1c2b11",
        "description": "Death registrations for the pension office",
        "reason": "the receiver answered 410 Gone",
    },
)


def event_of(trigger: Trigger) -> Event | None:
    """The event that one of our own triggers tells of; None for a trigger that is not ours."""
    match trigger.path:
        case "webhooks:test":
            told = trigger.payload["eventType"]
            kind = EventType(
                told["name"], told["topic"], Category(told["category"]), "", {}, told["example"], told["publisher"]
            )
            return Event(event_id(trigger.id, kind.name), kind, trigger.received_at, kind.example, kind.example)
        case "webhooks:disabled":
            kind = SUBSCRIPTION_DISABLED
            data = {name: trigger.payload[name] for name in kind.schema["required"]}
            return Event(event_id(trigger.id, kind.name), kind, trigger.received_at, data, data)
        case _:
            return None


def keep(
    connection: Connection,
    database: Database,
    cipher: Cipher,
    path: str,
    payload: Mapping[str, Any],
    request_id: str,
    owed: Callable[[Trigger], Sequence[NewDelivery]],
) -> str:
    """Write down a trigger of our own and what it owes, in the caller's transaction. Returns its id."""
    values = intake.values(path=path, request_id=request_id, payload=cipher.encrypt(payload))
    connection.execute(intake.INSERT_TRIGGER, values)
    trigger = Trigger(values["trigger_id"], path, 0.0, request_id, None, payload)
    store.add(connection, database, cipher, [(trigger.id, one) for one in owed(trigger)])
    return trigger.id


def id_of_test(trigger_id: str, name: str) -> str:
    """The id that the try-out's event is told with."""
    return event_id(trigger_id, name)
