"""The quick look at an envelope comes to what the schema comes to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.analytics.documents import document_of
from app.records.schema import EventDocument, InvalidDocument, event_document
from tests.records.documents import ABSENT, EVENTS, action, document, lines, uuid

CASES = [case["payload"] for case in lines("payload-cases.jsonl") if "payload" in case]
ODD: list[Any] = [None, 5, [], {}, "x", document(), document(action())]
VALUES: list[Any] = [None, 5, "", [], ABSENT, uuid(1), {"a": 1}]
ODD += [document(**{key: value}) for key in document() for value in VALUES]


def outcome(read: Any, payload: Any) -> EventDocument | list[Any]:
    try:
        made: EventDocument = read(payload)
    except InvalidDocument as error:
        return error.problems
    return made


@pytest.mark.parametrize("payloads", [EVENTS, CASES, ODD], ids=["events", "cases", "odd ones"])
def test_it_agrees_with_the_schema(payloads: list[Any]) -> None:
    assert payloads
    for payload in payloads:
        assert outcome(document_of, payload) == outcome(event_document, payload), json.dumps(payload)[:200]
