"""The values that pass between the outbox and those who send for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from app.outbox.states import Priority, State


@dataclass(frozen=True)
class Trigger:
    """What a delivery comes from. `payload` is whole: its secrets are in it until they are erased."""

    id: str
    path: str
    received_at: float
    request_id: str
    fingerprint: str | None
    payload: Any


@dataclass(frozen=True)
class Delivery:
    """One thing owed, as its sender gets it.

    `attempt` counts from 1. Past its life the delivery must not go out: `expires_at` is UTC seconds on the database's
    clock, `deadline` the same on this process's monotonic one.
    """

    id: str
    key: str
    channel: str
    destination: str
    message: str | None
    priority: Priority
    attempt: int
    payload: Any
    trigger: Trigger
    subject: str | None = None
    expires_at: float | None = None
    deadline: float | None = None

    @property
    def expired(self) -> bool:
        return self.deadline is not None and time.monotonic() >= self.deadline


@dataclass(frozen=True)
class NewDelivery:
    """One more thing owed of the same trigger. `key` makes it unique: owed twice, it is kept once.

    `recipient` is masked. It is due in `due_in` seconds. `subject` is the event that it is about, where newer news
    overtakes older. One that is born failed or dropped says why in `reason` and is never tried. Where it fails for
    good, `otherwise` is owed in its place. Without `gives_up` it is tried until it is done, with the longest pause.
    """

    key: str
    channel: str
    destination: str
    priority: Priority
    message: str | None = None
    recipient: str | None = None
    payload: Mapping[str, Any] | None = None
    expires_at: float | None = None
    state: State = State.QUEUED
    reason: str | None = None
    subject: str | None = None
    due_in: float = 0.0
    otherwise: NewDelivery | None = None
    gives_up: bool = True

    def as_json(self) -> dict[str, Any]:
        """All of it, as values that JSON has."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> NewDelivery:
        """What `as_json` made."""
        otherwise = values["otherwise"]
        return cls(
            **{
                **values,
                "priority": Priority(values["priority"]),
                "state": State(values["state"]),
                "otherwise": cls.from_json(otherwise) if otherwise is not None else None,
            }
        )


@dataclass(frozen=True)
class Sent:
    """Taken by the provider. `follow_ups` are written in the same transaction."""

    answer: str = ""
    provider_id: str | None = None
    follow_ups: Sequence[NewDelivery] = field(default=())


@dataclass(frozen=True)
class Retry:
    """It did not work now and may work later. `destination_down` counts against the destination's circuit."""

    answer: str
    destination_down: bool = False
    after: float | None = None  # seconds, where the other side asked for it


@dataclass(frozen=True)
class Failed:
    """It will never work like this; `reason` tells an operator what to mend."""

    reason: str
    answer: str = ""


@dataclass(frozen=True)
class Dropped:
    """It should not be sent, and `reason` says why; `follow_ups` are owed in its place."""

    reason: str
    follow_ups: Sequence[NewDelivery] = field(default=())


Outcome = Sent | Retry | Failed | Dropped
Sender = Callable[[Delivery], Outcome]
