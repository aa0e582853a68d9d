"""Core's own verdict on payloads of user triggers, and ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.triggers.answers import details_of, error_of
from tests.triggers.serving import Served

CASES = Path(__file__).parents[1] / "contract" / "payload-cases.jsonl"
USER_TRIGGERS = "/triggers/user/"


def user_trigger_cases() -> list[Any]:
    cases = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    return [
        pytest.param(case, id=f"{number} {case['path'].removeprefix(USER_TRIGGERS)}: {case['note']}")
        for number, case in enumerate(cases, start=1)
        if case["path"].startswith(USER_TRIGGERS)
    ]


def test_there_are_cases_of_all_ten_user_triggers() -> None:
    assert len({case.values[0]["path"] for case in user_trigger_cases()}) == 10


@pytest.mark.parametrize("case", user_trigger_cases())
def test_we_judge_as_core_does(server: Served, case: dict[str, Any]) -> None:
    answer = server.client.post(case["path"], data=json.dumps(case["payload"]), content_type="application/json")
    if case["valid"]:
        assert (answer.status_code, answer.json) == (200, {})
        return
    assert answer.status_code == 400
    assert error_of(answer) == "Invalid payload"
    assert details_of(answer)[0]["path"] == case["firstPath"]
