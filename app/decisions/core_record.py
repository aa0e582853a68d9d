"""What core's record says about one action: the verdict that core has, whoever gave it.

Read from the JSON as core sent it, and from nothing else in it: whatever is new or odd elsewhere in a record must not
hide a registration number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.decisions.rulings import Verdict

_VERDICTS = {"Accepted": Verdict.ACCEPT, "Rejected": Verdict.REJECT}


@dataclass(frozen=True)
class CoreVerdict:
    """A verdict that core has. `answer` is what was accepted: `declaration` and `annotation` as far as something was
    added, and the `registrationNumber` where there is one; empty for a rejection.
    """

    verdict: Verdict
    answer: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def registration_number(self) -> str | None:
        number = self.answer.get("registrationNumber")
        return number if isinstance(number, str) else None


@dataclass(frozen=True)
class CoreRecord:
    """A record as core has it, as far as it concerns one action. `verdict` is None while the action waits."""

    verdict: CoreVerdict | None


def core_record(record: Any, event_id: str, action_id: str) -> CoreRecord | None:
    """Return what an event document says about the action; None where this is not the document of that event."""
    if not isinstance(record, dict) or not _is_same(record.get("id"), event_id):
        return None
    actions = record.get("actions")
    if not isinstance(actions, list):
        return None
    for action in actions:
        if isinstance(action, dict) and _is_same(action.get("originalActionId"), action_id):
            verdict = _VERDICTS.get(str(action.get("status")))
            if verdict is not None:
                return CoreRecord(CoreVerdict(verdict, _answer(action) if verdict is Verdict.ACCEPT else {}))
    return CoreRecord(None)


def _answer(action: Mapping[str, Any]) -> dict[str, Any]:
    answer = {name: action[name] for name in ("declaration", "annotation") if _is_something(action.get(name))}
    number = action.get("registrationNumber")
    return answer | ({"registrationNumber": number} if isinstance(number, str) and number else {})


def _is_something(value: Any) -> bool:
    return isinstance(value, dict) and bool(value)


def _is_same(value: Any, expected: str) -> bool:
    return isinstance(value, str) and value.lower() == expected.lower()
