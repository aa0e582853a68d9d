"""Which event types a pattern names."""

from __future__ import annotations

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.webhooks.event import Category, EventType

NAME = "events.birth.register.accepted"


def named(pattern: str, name: str = NAME) -> bool:
    return EventType(name, "events", Category.RECORD_ACTION, "", {}, {}).is_named_by(pattern)


@pytest.mark.parametrize(
    "pattern", [NAME, "*", "events.*", "*.accepted", "events.*.accepted", "*birth*", "record-action", "e*t*d", "**"]
)
def test_these_name_it(pattern: str) -> None:
    assert named(pattern)


@pytest.mark.parametrize(
    "pattern", ["", "events", "events.birth", "*.rejected", "events.*.birth", "user-data-change", "Events.*", "a*"]
)
def test_these_do_not(pattern: str) -> None:
    assert not named(pattern)


@given(st.text("ab.*", max_size=8), st.text("ab.", max_size=10))
def test_a_star_stands_for_anything(pattern: str, name: str) -> None:
    assert named(pattern, name) == bool(re.fullmatch(fnmatch.translate(pattern), name))


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    assert not any(named("*" * 199 + "0") for _ in range(10_000))
