"""Core's own verdict on payloads of user triggers, and ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
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


def recovery_link_cases() -> list[Any]:
    """The cases of 2fa with `token` in place of `code`: core 2.1 has the same schema for both, but for that name."""
    cases = [case.values[0] for case in user_trigger_cases() if case.values[0]["path"] == f"{USER_TRIGGERS}2fa"]
    cases.append({"note": "unknown keys", "payload": {**_LINK, "code": None, "url": {}}, "valid": True})
    cases.append({"note": "no token", "payload": {"recipient": {}}, "valid": False, "firstPath": ["token"]})
    return [
        pytest.param(_renamed(case, f"/trigger/user/{name}"), id=f"{name}: {case['note']}")
        for name in ("password-reset-link", "username-reminder-link")
        for case in cases
    ]


_LINK = {"recipient": {"email": "amina@sink.test", "unknown": 1}, "token": "q3+Zp/8nRw1xT5uYbK2mJg=="}


def _renamed(case: Mapping[str, Any], path: str) -> dict[str, Any]:
    payload = case["payload"]
    if isinstance(payload, dict) and "token" not in payload:
        payload = {"token" if key == "code" else key: value for key, value in payload.items()}
    first = case.get("firstPath")
    return {**case, "path": path, "payload": payload, "firstPath": ["token"] if first == ["code"] else first}


def test_there_are_cases_of_all_user_triggers_of_core_2_0() -> None:
    assert len({case.values[0]["path"] for case in user_trigger_cases()}) == 10


@pytest.mark.parametrize("case", [*user_trigger_cases(), *recovery_link_cases()])
def test_we_judge_as_core_does(server: Served, case: dict[str, Any]) -> None:
    answer = server.client.post(case["path"], data=json.dumps(case["payload"]), content_type="application/json")
    if case["valid"]:
        assert (answer.status_code, answer.json) == (200, {})
        return
    assert answer.status_code == 400
    assert error_of(answer) == "Invalid payload"
    assert details_of(answer)[0]["path"] == case["firstPath"]
