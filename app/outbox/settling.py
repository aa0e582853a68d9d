"""What becomes of deliveries after a try: the outcomes, written down with all that follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from app.cleaning import clean
from app.database.engine import Database
from app.encryption import Cipher
from app.outbox import circuits, secrets, store
from app.outbox.delivery import Dropped, Failed, NewDelivery, Outcome, Retry, Sent
from app.outbox.schedule import schedule_of
from app.outbox.states import State
from app.outbox.store import Claim

_ANSWER_LENGTH = 500


@dataclass(frozen=True)
class Finished:
    """A try that is over: what was claimed, what came of it, and how long it took in seconds."""

    claim: Claim
    outcome: Outcome
    duration: float


@dataclass(frozen=True)
class Settled:
    """What was written: the new state, and why. `superseded` where another worker had taken the delivery over.

    Seconds: `pause` until the next try, `circuit_open_for` where the destination counts as down because of this one.
    `back` where it is up again by this one. `instead` is owed because it failed.
    """

    finished: Finished
    state: State
    reason: str | None
    pause: float = 0.0
    superseded: bool = False
    circuit_open_for: float | None = None
    back: bool = False
    instead: NewDelivery | None = None

    @property
    def follow_ups(self) -> Sequence[NewDelivery]:
        """What came to be owed by it, or was dropped or refused before it could be sent."""
        outcome = self.finished.outcome
        if self.instead is not None:
            return (self.instead,)
        return () if isinstance(outcome, Retry | Failed) or self.superseded else outcome.follow_ups


def settle(connection: Connection, database: Database, cipher: Cipher, finished: Sequence[Finished]) -> list[Settled]:
    """Write down the outcomes, in the caller's transaction: states, attempts, follow-ups, circuits, erasures."""
    if not finished:
        return []
    store.record_attempts(connection, database, [_attempt(one) for one in finished])
    held = store.still_held(connection, [one.claim for one in finished])
    ours = [_ending(one) for one in finished if one.claim.id in held]
    store.end_try(connection, [_values(one) for one in ours])
    ours = [replace(one, instead=_instead(one, cipher)) for one in ours]
    owed = [(one.finished.claim.trigger.id, new) for one in ours for new in one.follow_ups]
    store.add(connection, database, cipher, owed)
    if ended := {one.finished.claim.trigger.id for one in ours if one.state is not State.QUEUED}:
        secrets.erase(connection, ended)
    opened = _circuits(connection, ours)
    lost = [Settled(one, State.SENDING, None, superseded=True) for one in finished if one.claim.id not in held]
    return [*opened, *lost]


def _instead(settled: Settled, cipher: Cipher) -> NewDelivery | None:
    """What is owed in the place of one that failed for good, unless it is past its life."""
    taken = settled.finished.claim
    if settled.state is not State.FAILED or taken.delivery.otherwise is None or taken.is_expired:
        return None
    return NewDelivery.from_json(cipher.decrypt(taken.delivery.otherwise))


def _ending(finished: Finished) -> Settled:
    match finished.outcome:
        case Sent():
            return Settled(finished, State.SENT, None)
        case Failed(reason=reason):
            return Settled(finished, State.FAILED, reason)
        case Dropped(reason=reason):
            return Settled(finished, State.DROPPED, reason)
        case Retry(answer=answer, after=after):
            taken = finished.claim
            pause = schedule_of(taken.lane.priority).pause(taken.attempt) if after is None else after
            if taken.gives_up_in is not None and pause >= taken.gives_up_in:
                return Settled(finished, State.FAILED, f"tries used up: {answer}")
            return Settled(finished, State.QUEUED, answer, pause)


def _values(settled: Settled) -> dict[str, object]:
    outcome = settled.finished.outcome
    return {
        "held": settled.finished.claim.id,
        "becomes": settled.state,
        "because": clean(settled.reason) if settled.reason else None,
        "provider": outcome.provider_id if isinstance(outcome, Sent) else None,
        "ended": settled.state is not State.QUEUED,
        "pause": settled.pause,
    }


def _attempt(finished: Finished) -> dict[str, object]:
    outcome = finished.outcome
    said = outcome.reason if isinstance(outcome, Dropped) else outcome.answer
    return {
        "held": finished.claim.id,
        "fence": finished.claim.attempt,
        "took": finished.duration,
        "came": type(outcome).__name__.lower(),
        "said": clean(said[:_ANSWER_LENGTH]) or None,
    }


def _circuits(connection: Connection, settled: Sequence[Settled]) -> list[Settled]:
    """Count failures and successes against the destinations, in one order, so that two workers never deadlock.

    One success among them shows that the destination is there, whatever else came back.
    """
    alive = {one.finished.claim.lane.destination for one in settled if isinstance(one.finished.outcome, Sent)}
    counted: list[Settled] = []
    for one in sorted(settled, key=lambda one: one.finished.claim.lane.destination):
        destination, outcome = one.finished.claim.lane.destination, one.finished.outcome
        is_first = not counted or counted[-1].finished.claim.lane.destination != destination
        open_for, back = None, False
        if destination in alive:
            back = is_first and circuits.record_success(connection, destination)
        elif isinstance(outcome, Retry) and outcome.destination_down:
            open_for = circuits.record_failure(connection, destination)
        counted.append(replace(one, circuit_open_for=open_for, back=back))
    return counted
