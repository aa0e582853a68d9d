"""The states of a decision."""

from __future__ import annotations

from enum import StrEnum


class DecisionState(StrEnum):
    """deciding → accepted | rejected | deferred → confirming → confirmed | refused."""

    DECIDING = "deciding"  # somebody runs the rules, by lease
    ACCEPTED = "accepted"  # answered at once, with 200
    REJECTED = "rejected"  # answered at once, with 400
    DEFERRED = "deferred"  # answered 202, nobody has decided yet
    CONFIRMING = "confirming"  # decided since, core is being told
    CONFIRMED = "confirmed"  # core has taken it
    REFUSED = "refused"  # core will not take it: the record waits for an operator
