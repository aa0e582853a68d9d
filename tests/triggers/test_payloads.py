"""Payloads of any size: what is wrong with them is said in few words, and what is right is taken."""

from __future__ import annotations

import time
from typing import Any

import pytest
from marshmallow import Schema, ValidationError, fields

from app.http.problems import MOST_PROBLEMS, Details, problems
from app.triggers.payloads import Announcement
from tests.triggers.answers import details_of
from tests.triggers.serving import Served


def announcement(bcc: Any) -> dict[str, Any]:
    return {"recipient": {"bcc": bcc}, "subject": "s", "body": "b"}


def problems_of(schema: Schema, payload: Any) -> Details:
    with pytest.raises(ValidationError) as raised:
        schema.load(payload)
    return problems(raised.value.messages)


def test_a_hundred_thousand_addresses_are_taken_quickly() -> None:
    addresses = [f"user-{number}@registry.test" for number in range(100_000)]
    began = time.process_time()
    assert Announcement().load(announcement(addresses)) == announcement(addresses)
    assert time.process_time() - began < 0.5


def test_many_wrong_addresses_are_refused_quickly_and_in_few_words(server: Served) -> None:
    body = b'{"subject":"s","body":"b","recipient":{"bcc":[' + b"1," * 900_000 + b"1]}}"
    began = time.process_time()
    answer = server.client.post(
        "/triggers/user/all-user-notification", data=body, headers={"Content-Type": "application/json"}
    )
    assert time.process_time() - began < 5
    assert answer.status_code == 400
    assert len(answer.data) < 10_000
    assert details_of(answer)[0]["path"] == ["recipient", "bcc", 0]


@pytest.mark.parametrize(
    ("bcc", "paths"),
    [
        (["a", None, 5], [[1], [2]]),
        ([["a"]], [[0]]),
        ([0] * 1000, [[position] for position in range(MOST_PROBLEMS)]),
        ({}, [[]]),
        ("a", [[]]),
        (None, [[]]),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_the_first_wrong_addresses_are_named(bcc: Any, paths: list[list[int]]) -> None:
    found = [problem["path"] for problem in problems_of(Announcement(), announcement(bcc))]
    assert found == [["recipient", "bcc", *path] for path in paths]


def test_of_many_problems_the_first_are_reported() -> None:
    schema = Schema.from_dict({"numbers": fields.List(fields.Integer())})()
    found = problems_of(schema, {"numbers": ["x"] * 1000})
    assert [problem["path"] for problem in found] == [["numbers", position] for position in range(MOST_PROBLEMS)]
