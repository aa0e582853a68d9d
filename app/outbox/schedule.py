"""When to try again: exponential backoff with jitter, as a value."""

from __future__ import annotations

import random
from dataclasses import dataclass

from app.outbox.states import Priority

DAY = 86_400.0


@dataclass(frozen=True)
class RetrySchedule:
    """Seconds: the first pause, what it is multiplied by, the longest pause, and for how long to try at all."""

    first: float
    factor: float
    longest: float
    give_up_after: float

    def pause(self, attempt: int) -> float:
        """Seconds to wait after the given attempt (from 1), a fifth more or less at random."""
        steps = min(attempt - 1, 32)
        return min(self.first * self.factor**steps, self.longest) * random.uniform(0.8, 1.2)


# Somebody waits for a code at a screen; all else may wait for a mail server to be mended over a long weekend.
_OTP = RetrySchedule(first=2, factor=2, longest=30, give_up_after=DAY)
_PATIENT = RetrySchedule(first=5, factor=3, longest=3_600, give_up_after=4 * DAY)


def schedule_of(priority: Priority) -> RetrySchedule:
    return _OTP if priority is Priority.OTP else _PATIENT
