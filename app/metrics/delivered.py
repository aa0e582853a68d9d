"""What goes out, as figures: what came of each try, how long it took, and how long a message was on its way."""

from __future__ import annotations

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Histogram

from app.metrics.children import Children
from app.metrics.labels import destination_label
from app.outbox.settling import Settled
from app.outbox.states import Reason, State
from app.outbox.store import LEASE, Claim

_TRIES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60)
# A code is of use within seconds, anything within minutes; what comes later was delayed by an outage.
_ON_THE_WAY = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 3_600, 6 * 3_600, 86_400)


class Outcome(StrEnum):
    """What a try comes to, or a delivery that is never tried."""

    SENT = "sent"
    RETRIED = "retried"  # did not work, and is tried again
    FAILED = "failed"  # for good
    EXPIRED = "expired"  # a code or a link past its life
    DROPPED = "dropped"  # on purpose
    SUPERSEDED = "superseded"  # another worker had taken it over


class Delivered:
    """Counts what the worker has settled."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._came = Children(
            Counter(
                "country_config_deliveries",
                "Tries of deliveries, and deliveries that were dropped or failed without one, by what came of them",
                ["channel", "destination", "outcome"],
                registry=registry,
            )
        )
        self._took = Children(
            Histogram(
                "country_config_try_duration_seconds",
                "Time that a try of a delivery took",
                ["channel"],
                registry=registry,
                buckets=_TRIES,
            )
        )
        self._on_the_way = Children(
            Histogram(
                "country_config_received_to_sent_seconds",
                "Time from a trigger's arrival to its message being taken by the mail server or SMS provider; "
                "news of an event action counts from when it came to be owed, since that may be decided days later",
                ["channel", "priority"],
                registry=registry,
                buckets=_ON_THE_WAY,
            )
        )

    def observe(self, settled: Settled) -> None:
        """One try that is over, and what was dropped or refused because of it."""
        taken = settled.finished.claim
        channel = taken.delivery.channel
        self._count(channel, taken.lane.destination, _outcome(settled))
        self._took[channel,].observe(settled.finished.duration)
        if settled.state is State.SENT and taken.delivery.recipient is not None:
            priority = taken.lane.priority.name.lower()
            self._on_the_way[channel, priority].observe(_waited(taken) + settled.finished.duration)
        for new in settled.follow_ups:
            if new.state is not State.QUEUED:
                self._count(new.channel, new.destination, Outcome(new.state))

    def _count(self, channel: str, destination: str, outcome: Outcome) -> None:
        destination = destination_label(destination)
        if (channel, destination, outcome) not in self._came:
            for other in Outcome:  # all from zero, so that the first of another is an increase
                self._came[channel, destination, other].inc(0)
        self._came[channel, destination, outcome].inc()


def _waited(taken: Claim) -> float:
    """Seconds up to the claim, all by the database's clock."""
    since: float = taken.delivery.created_at if taken.trigger.path.startswith("events/") else taken.trigger.received_at
    claimed_at: float = taken.delivery.lease_until - LEASE
    return claimed_at - since


def _outcome(settled: Settled) -> Outcome:
    if settled.superseded:
        return Outcome.SUPERSEDED
    match settled.state:
        case State.SENT:
            return Outcome.SENT
        case State.QUEUED:
            return Outcome.RETRIED
        case State.FAILED:
            return Outcome.FAILED
        case _:
            return Outcome.EXPIRED if settled.reason == Reason.EXPIRED else Outcome.DROPPED
