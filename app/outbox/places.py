"""How many deliveries may be under way at once, and to whom, so that nobody takes the places of all others."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from app.outbox.states import Priority
from app.outbox.store import Lane

PLAN = "plan"
# How the names of destinations begin behind which other systems are:
ABROAD = "webhook:"  # those that a client has chosen
FORWARD = "forward:"  # those that the operator lists in FORWARD_ACTIONS_TO

NEWS = frozenset({"webhooks", "replay"})  # destinations of what works out what other systems are told

PLANS = 40  # planning calls nobody outside: it has places of its own, and is claimed in larger batches
PLACES_FOR_NEWS = 4
PLACES = 18  # for people, and for core
PLACES_ABROAD = 200  # for other systems: any number of them may hang, and none may delay another
_A_DESTINATION = 8  # a dead receiver holds no more than these
_FOR_BULK = 3  # a broadcast leaves the rest of its destination's places to what people wait for
_ONLY_FOR_CODES = 2  # of PLACES, and of those of a destination: whatever hangs, a one-time code still leaves
_PLANS_ONLY_FOR_CODES = 8  # of PLANS: a template that renders for long does not keep a code from being planned
_A_QUICK_ONE = 6  # abroad, a destination that was seen to be quick
_FOR_UNKNOWN = 150  # of those abroad, for the ones that were not seen to be quick; the rest is for those that were
_FOR_SLOW = 100  # of these, for the ones whose last try failed or took long


@dataclass(frozen=True)
class Held:
    """The lanes of what is under way, and what is known of destinations abroad from their last try.

    Those that took it quickly get several at once, the others one at a time: a hundred that hang hold a hundred places.
    """

    lanes: Sequence[Lane]
    quick: Collection[str] = field(default=())
    slow: Collection[str] = field(default=())

    def is_slow(self, lane: Lane) -> bool:
        return lane.failures > 0 or lane.destination in self.slow

    def is_quick(self, lane: Lane) -> bool:
        return lane.destination in self.quick and not self.is_slow(lane)


def is_abroad(destination: str) -> bool:
    """Whether another system is behind it: there may be any number of them, and any of them may hang."""
    return destination.startswith((ABROAD, FORWARD))


def to_claim(open_lanes: Sequence[Lane], held: Held, failures_to_open: int) -> list[tuple[Lane, int]]:
    """How many to claim of each lane. One whose circuit was open, at `failures_to_open`, is probed with one."""
    at = Counter(lane.destination for lane in held.lanes)
    bulk = Counter(lane.destination for lane in held.lanes if lane.priority is Priority.BULK)
    abroad = _Abroad(held)
    ours = [lane for lane in held.lanes if lane.destination not in {PLAN, *NEWS} and not is_abroad(lane.destination)]
    free = PLACES - len(ours)
    wanted = []
    # Of those abroad that wait alike, nobody is always the last.
    for lane in sorted(open_lanes, key=lambda lane: (lane.priority, at[lane.destination], random.random())):
        is_code = lane.priority is Priority.OTP
        if lane.destination == PLAN:
            limit = PLANS - at[PLAN] - (0 if is_code else _PLANS_ONLY_FOR_CODES)
        elif lane.destination in NEWS:
            limit = PLACES_FOR_NEWS // len(NEWS) - at[lane.destination]
        elif is_abroad(lane.destination):
            limit = abroad.take(lane, at[lane.destination])
        else:
            only_for_codes = 0 if is_code else _ONLY_FOR_CODES
            probing = lane.failures >= failures_to_open
            limit = 1 - at[lane.destination] if probing else _A_DESTINATION - only_for_codes - at[lane.destination]
            limit = min(limit, free - only_for_codes)
            if lane.priority is Priority.BULK:
                limit = min(limit, _FOR_BULK - bulk[lane.destination])
            free -= max(0, limit)
        if limit > 0:
            wanted.append((lane, limit))
            at[lane.destination] += limit
    return wanted


class _Abroad:
    """The places of other systems, as they are taken."""

    def __init__(self, held: Held) -> None:
        self._held = held
        lanes = [lane for lane in held.lanes if is_abroad(lane.destination)]
        self._all = len(lanes)
        self._not_quick = sum(not held.is_quick(lane) for lane in lanes)
        self._slow = sum(held.is_slow(lane) for lane in lanes)

    def take(self, lane: Lane, held_by_it: int) -> int:
        quick, slow = self._held.is_quick(lane), self._held.is_slow(lane)
        limit = min(PLACES_ABROAD - self._all, (_A_QUICK_ONE if quick else 1) - held_by_it)
        if not quick:
            limit = min(limit, _FOR_UNKNOWN - self._not_quick)
        if slow:
            limit = min(limit, _FOR_SLOW - self._slow)
        limit = max(0, limit)
        self._all += limit
        self._not_quick += limit if not quick else 0
        self._slow += limit if slow else 0
        return limit
