"""What an answer has to be like."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.notifications.sms.conditions import condition, path
from app.notifications.sms.exchange import Answer

ANSWER = Answer(
    201, json.dumps({"code": 0, "ok": True, "error": None, "messages": [{"id": 17, "status": "sent on"}]}).encode()
)


@pytest.mark.parametrize(
    ("written", "holds"),
    [
        ("status:2xx", True),
        ("status:201", True),
        ("status: 200 | 201 ", True),
        ("status:200|202", False),
        ("status:4xx|5xx", False),
        ("json:code=0", True),
        ("json:code=1|0", True),
        ("json:code=1", False),
        ("json:ok=true", True),
        ("json:ok=True", False),
        ("json:error=null", False),
        ("json:messages.0.status=sent on", True),
        ("json:messages.1.status=sent on", False),
        ("json:messages.-1.status=sent on", False),
        ("json:messages.status=sent on", False),
        ("json:messages.0.id.deeper=17", False),
        ("json:messages.0.id=17; status:2xx", True),
        ("json:messages.0.id=17; status:200", False),
    ],
)
def test_all_its_parts_have_to_hold(written: str, holds: bool) -> None:
    assert condition(written).holds(ANSWER) is holds


@pytest.mark.parametrize("content", [b"", b"OK", b"[]", b"17", b"null"])
def test_an_answer_without_the_value_does_not_hold(content: bytes) -> None:
    assert not condition("json:messages.0.status=sent on").holds(Answer(200, content))


@pytest.mark.parametrize(
    "written", ["", ";", "status:2xx;", "2xx", "status:", "status:2x", "status:999", "json:a", "json:=1", "json:a..b=1"]
)
def test_what_is_no_condition_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"Write|names and places"):
        condition(written)


@pytest.mark.parametrize(
    ("written", "text"),
    [("messages.0.id", "17"), ("messages.0.status", "sent on"), ("messages", None), ("no.such", None)],
)
def test_a_path_finds_a_text(written: str, text: str | None) -> None:
    assert path(written).text_in(ANSWER.json) == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.text(min_size=1),
)
def test_a_path_can_be_looked_for_in_anything(parsed: object, written: str) -> None:
    try:
        steps = path(written)
    except ValueError:
        return
    assert isinstance(steps.text_in(parsed), str | None)
