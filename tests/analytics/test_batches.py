"""A batch taken apart: every item as it came, whatever is in the others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.analytics.batches import MOST, NotABatch, TooMany, items_of

odd = st.text('ab"\\[]{},\n \ud800\0é', max_size=6)
items = st.recursive(
    odd | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd, inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(items, max_size=5), st.sampled_from([None, 2]))
def test_items_are_what_was_put_in(values: list[Any], indent: int | None) -> None:
    taken = items_of(json.dumps(values, indent=indent).encode())
    assert [json.loads(item) for item in taken] == values


def test_an_item_that_is_too_deep_or_no_json_keeps_the_others() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    assert items_of(b'[{"a": 1}, ' + deep + b', {"b": "\\ud800"}, nonsense]') == [
        b'{"a": 1}',
        b" " + deep,
        b' {"b": "\\ud800"}',
        b" nonsense",
    ]


@pytest.mark.parametrize("body", [b"{}", b"[1,", b"", b'["', b'["\xff', b"[1] [2]", b"[1]]", b'{"a": [1]}', b"5"])
def test_what_is_no_whole_array_is_said(body: bytes) -> None:
    with pytest.raises(NotABatch):
        items_of(body)


def test_a_text_without_an_end_is_looked_at_once() -> None:
    with pytest.raises(NotABatch):
        items_of(b'["' + b'\\"' * 2_000_000)


def test_a_batch_has_no_more_than_so_many_items() -> None:
    assert len(items_of(b"[" + b",".join([b"{}"] * MOST) + b"]")) == MOST
    with pytest.raises(TooMany):
        items_of(b"[" + b",".join([b"{}"] * (MOST + 1)) + b"]")
