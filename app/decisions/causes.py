"""Why an open decision must be looked at, and for which of that it has been alerted of."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, func, literal, or_, text

from app.database.clock import now
from app.database.tables import decisions
from app.decisions.states import DecisionState
from app.outbox.schedule import DAY


class Cause(StrEnum):
    """Kept separated by spaces, so that none may be a part of another."""

    UNDECIDED = "undecided"  # nobody could decide, or the deadline is over
    ENDING = "ending"  # core's token ends within a day, and no answer is taken after it
    UNCONFIRMABLE = "unconfirmable"  # neither a token of the action nor a client of ours is there to confirm it with
    UNCONFIRMED = "unconfirmed"  # decided a day ago, and core has not taken it
    REFUSED = "refused"  # core did not take the answer


_HOLDS: Mapping[Cause, ColumnElement[bool]] = {
    Cause.UNDECIDED: decisions.c.deadline <= now(),
    Cause.ENDING: and_(decisions.c.token.is_not(None), decisions.c.token_expires_at <= now() + DAY),
    Cause.UNCONFIRMABLE: and_(
        decisions.c.state != DecisionState.DECIDING.value,
        decisions.c.token.is_(None),
        decisions.c.token_expires_at <= now() + DAY,
    ),
    Cause.UNCONFIRMED: and_(decisions.c.state == DecisionState.CONFIRMING.value, decisions.c.decided_at <= now() - DAY),
    Cause.REFUSED: decisions.c.state == DecisionState.REFUSED,
}
# As the partial index has it, to the letter: it is used where the planner can read its condition.
_IS_OPEN = text("state IN ('deciding', 'deferred', 'confirming', 'refused')")


def _names(column: ColumnElement[str], cause: Cause) -> ColumnElement[bool]:
    return column.contains(cause.value)


IS_LATE = and_(_IS_OPEN, or_(*_HOLDS.values()))
IS_UNSAID = and_(
    _IS_OPEN, or_(*(and_(holds, ~_names(decisions.c.alerted_for, cause)) for cause, holds in _HOLDS.items()))
)
IS_UNMAILED = and_(IS_LATE, decisions.c.alerted_for != decisions.c.mailed_for)

SAID: ColumnElement[str] = func.trim(
    sum(
        (
            case((or_(holds, _names(decisions.c.alerted_for, cause)), f"{cause} "), else_="")
            for cause, holds in _HOLDS.items()
        ),
        start=literal("", Text),
    ),
    type_=Text,
)
"""What `alerted_for` becomes once all that holds is said."""

FORGOTTEN: Mapping[str, Any] = {
    column.name: case((_names(column, Cause.ENDING), Cause.ENDING.value), else_="")
    for column in (decisions.c.alerted_for, decisions.c.mailed_for)
}
"""What becomes of both columns when it is decided or put off: all but the token's end may come again."""
