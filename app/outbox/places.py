"""How many deliveries may be under way at once, and to whom, so that nobody takes the places of all others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from app.outbox.states import Priority
from app.outbox.store import Lane

PLAN = "plan"
ABROAD = "webhook:"  # how the names of destinations begin that other systems have chosen

PLANS = 32  # planning calls nobody outside: it has places of its own, and is claimed in larger batches
PLACES = 16  # for people, and for core
PLACES_ABROAD = 200  # for other systems: any number of them may hang, and none may delay another
_A_DESTINATION = 6  # a dead receiver holds no more than these
_FOR_BULK = 3  # a broadcast leaves the rest of its destination's places to one-time codes
_FOR_FAILING = 100  # of those abroad, for the ones whose last try failed


@dataclass(frozen=True)
class Held:
    """The lanes of what is under way, and the destinations abroad that took the last thing they got.

    Those get several at once, the others one at a time: a hundred that hang then hold a hundred places.
    """

    lanes: Sequence[Lane]
    answering: Collection[str] = field(default=())


def is_abroad(destination: str) -> bool:
    """Whether other systems have chosen it, as they like and as many as they like."""
    return destination.startswith(ABROAD)


def to_claim(open_lanes: Sequence[Lane], held: Held, failures_to_open: int) -> list[tuple[Lane, int]]:
    """How many to claim of each lane. One whose circuit was open, at `failures_to_open`, is probed with one."""
    at = Counter(lane.destination for lane in held.lanes)
    bulk = Counter(lane.destination for lane in held.lanes if lane.priority is Priority.BULK)
    abroad = sum(number for destination, number in at.items() if is_abroad(destination))
    failing = sum(1 for lane in held.lanes if is_abroad(lane.destination) and lane.failures)
    free = PLACES - (at.total() - at[PLAN] - abroad)
    wanted = []
    for lane in sorted(open_lanes, key=lambda lane: (lane.priority, at[lane.destination])):
        if lane.destination == PLAN:
            limit = PLANS - at[PLAN]
        elif is_abroad(lane.destination):
            at_once = _A_DESTINATION if lane.destination in held.answering and not lane.failures else 1
            limit = min(PLACES_ABROAD - abroad, at_once - at[lane.destination])
            if lane.failures:
                limit = min(limit, _FOR_FAILING - failing)
                failing += max(0, limit)
            abroad += max(0, limit)
        else:
            probing = lane.failures >= failures_to_open
            limit = min(free, (1 if probing else _A_DESTINATION) - at[lane.destination])
            if lane.priority is Priority.BULK:
                limit = min(limit, _FOR_BULK - bulk[lane.destination])
            free -= max(0, limit)
        if limit > 0:
            wanted.append((lane, limit))
            at[lane.destination] += limit
    return wanted
