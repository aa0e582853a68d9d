"""Who may be sent to at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.outbox.places import NEWS, PLACES, PLACES_ABROAD, PLAN, PLANS, Held, is_abroad, to_claim
from app.outbox.states import Priority
from app.outbox.store import Lane

names = st.sampled_from(
    [PLAN, *sorted(NEWS), "smtp", "sms", "core", *(f"webhook:{number}" for number in range(300)), "forward:a"]
)
lanes = st.lists(
    st.builds(Lane, names, st.sampled_from(Priority), st.integers(0, 9)),
    unique_by=lambda lane: (lane.destination, lane.priority),
    max_size=60,
)


def abroad(number: int, failures: int = 0) -> list[Lane]:
    return [Lane(f"webhook:{one}", Priority.TRANSACTIONAL, failures) for one in range(number)]


def claimed(open_lanes: list[Lane], held: Held) -> dict[str, int]:
    return {lane.destination: limit for lane, limit in to_claim(open_lanes, held, 5)}


def test_each_system_gets_one_until_it_takes_what_it_gets() -> None:
    assert claimed(abroad(3), Held([], quick={"webhook:1"})) == {"webhook:0": 1, "webhook:1": 6, "webhook:2": 1}


def test_systems_that_fail_or_are_slow_leave_half_of_the_places() -> None:
    assert sum(claimed(abroad(500, failures=1), Held([])).values()) == PLACES_ABROAD / 2
    slow = {lane.destination for lane in abroad(500)}
    assert sum(claimed(abroad(500), Held([], slow=slow)).values()) == PLACES_ABROAD / 2


def test_systems_that_nobody_knows_leave_places_to_those_that_are_quick() -> None:
    known = [Lane("webhook:known", Priority.TRANSACTIONAL, 0)]
    unknown = abroad(500)
    assert sum(claimed(unknown, Held([])).values()) == 150
    assert claimed([*unknown, *known], Held(unknown[:150], quick={"webhook:known"})) == {"webhook:known": 6}


def test_what_works_out_news_leaves_all_places_to_messages() -> None:
    held = Held([Lane(name, Priority.TRANSACTIONAL, 0) for name in NEWS for _ in range(2)])
    lanes = [Lane("smtp", Priority.OTP, 0), *(Lane(name, Priority.TRANSACTIONAL, 0) for name in NEWS)]
    assert claimed(lanes, held) == {"smtp": 8}


def test_systems_that_hang_leave_all_places_to_messages() -> None:
    held = Held(abroad(PLACES_ABROAD))
    assert claimed([Lane("smtp", Priority.OTP, 0), *abroad(9)], held) == {"smtp": 8}


@pytest.mark.parametrize("priority", [Priority.TRANSACTIONAL, Priority.BULK])
def test_a_destination_that_hangs_leaves_places_to_one_time_codes(priority: Priority) -> None:
    under_way: list[Lane] = []
    while limits := to_claim([Lane("smtp", priority, 0)], Held(under_way), 5):
        under_way += [lane for lane, limit in limits for _ in range(limit)]
    codes = Lane("smtp", Priority.OTP, 0)
    assert claimed([codes], Held(under_way))["smtp"] >= 2


def test_destinations_that_hang_leave_places_to_one_time_codes() -> None:
    hanging = [Lane(f"provider:{number}", Priority.TRANSACTIONAL, 0) for number in range(9)]
    under_way = [lane for lane, limit in to_claim(hanging, Held([]), 5) for _ in range(limit)]
    assert len(under_way) == PLACES - 2
    assert claimed([*hanging, Lane("smtp", Priority.OTP, 0)], Held(under_way)) == {"smtp": 2}


def test_plans_that_take_long_leave_places_to_one_time_codes() -> None:
    plans = Lane(PLAN, Priority.TRANSACTIONAL, 0)
    under_way = [lane for lane, limit in to_claim([plans], Held([]), 5) for _ in range(limit)]
    assert claimed([plans, Lane(PLAN, Priority.OTP, 0)], Held(under_way)) == {PLAN: 8}


@pytest.mark.parametrize(("failures", "limit"), [(0, 8), (4, 8), (5, 1)])
def test_a_destination_that_was_down_is_probed(failures: int, limit: int) -> None:
    assert claimed([Lane("smtp", Priority.OTP, failures)], Held([])) == {"smtp": limit}


@given(open_lanes=lanes, under_way=lanes)
def test_no_more_are_claimed_than_there_are_places(open_lanes: list[Lane], under_way: list[Lane]) -> None:
    claimed = to_claim(open_lanes, Held(under_way), 5)
    after = [*under_way, *(lane for lane, limit in claimed for _ in range(limit))]
    planning = sum(lane.destination == PLAN for lane in after)
    elsewhere = sum(is_abroad(lane.destination) for lane in after)
    assert planning <= PLANS
    assert elsewhere <= PLACES_ABROAD
    news = sum(lane.destination in NEWS for lane in after)
    assert len(after) - planning - elsewhere - news <= max(PLACES, len(under_way))
