"""A decision as it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.decisions.rulings import Verdict
from app.decisions.states import DecisionState


@dataclass(frozen=True)
class Decision:
    """A decision as it is kept. `answer` is what is sent with an accept, registration number included.

    `runs` is the fence of whoever runs the rules; `lease_left` is the seconds that are left to it. `decided_at` is in
    UTC seconds; None where it was accepted as it was asked.
    """

    event_id: str
    action_id: str
    trigger_id: str
    event_type: str
    action_type: str
    tracking_id: str
    state: DecisionState
    verdict: Verdict | None
    answer: Mapping[str, Any]
    reason: str | None
    runs: int
    lease_left: float
    decided_at: float | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.event_id, self.action_id
