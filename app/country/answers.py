"""What a rule can answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True)
class Accept:
    """The country says yes. What is given here is added to the declaration and annotation of the action.

    `registration_number` is only for REGISTER; without it the number is made by the country's `registration_number`.
    """

    declaration: Mapping[str, Any] | None = None
    annotation: Mapping[str, Any] | None = None
    registration_number: str | None = None


@dataclass(frozen=True)
class Reject:
    """The country says no, for this reason."""

    reason: str


@dataclass(frozen=True)
class Defer:
    """The country says neither now: somebody accepts or rejects later. Past `deadline` an alert goes out."""

    reason: str | None = None
    deadline: datetime | timedelta | None = None


Answer = Accept | Reject | Defer
