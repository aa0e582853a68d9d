"""Why an open decision must be looked at, and for which of that it has been alerted of."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, func, literal, or_, text

from app.database.clock import now
from app.database.tables import decisions
from app.decisions.states import DecisionState
from app.opencrvs.version_signs import IS_CORE_2_1
from app.outbox.schedule import DAY


class Cause(StrEnum):
    """Kept separated by spaces, so that none may be a part of another."""

    UNDECIDED = "undecided"  # nobody could decide, or the deadline is over
    ENDING = "ending"  # core's token ends within a day, and no answer is taken after it
    UNCONFIRMABLE = "unconfirmable"  # neither a token of the action nor a client of ours is there to confirm it with
    UNCONFIRMED = "unconfirmed"  # decided a day ago, and core has not taken it
    REFUSED = "refused"  # core did not take the answer


# As the partial index has it, to the letter: it is used where the planner can read its condition.
IS_OPEN = text("state IN ('deciding', 'deferred', 'confirming', 'refused')")


def _names(column: ColumnElement[str], cause: Cause) -> ColumnElement[bool]:
    return column.contains(cause.value)


def _holds(*, has_client: bool) -> Mapping[Cause, ColumnElement[bool]]:
    """Core 2.1 takes a confirmation with our own client, whatever has become of the action's token."""
    ends = decisions.c.token_expires_at <= now() + DAY
    if has_client:
        ends = and_(ends, ~IS_CORE_2_1)
    confirming = decisions.c.state == DecisionState.CONFIRMING.value
    return {
        Cause.UNDECIDED: decisions.c.deadline <= now(),
        Cause.ENDING: and_(decisions.c.token.is_not(None), ends),
        Cause.UNCONFIRMABLE: and_(decisions.c.state != DecisionState.DECIDING.value, decisions.c.token.is_(None), ends),
        Cause.UNCONFIRMED: and_(confirming, decisions.c.decided_at <= now() - DAY),
        Cause.REFUSED: decisions.c.state == DecisionState.REFUSED,
    }


def is_late(*, has_client: bool) -> ColumnElement[bool]:
    """Whether an open decision must be looked at. `has_client`: a system client of ours is configured."""
    return and_(IS_OPEN, or_(*_holds(has_client=has_client).values()))


def is_unsaid(*, has_client: bool) -> ColumnElement[bool]:
    """Whether a cause holds that `alerted_for` does not name."""
    holds = _holds(has_client=has_client).items()
    return and_(IS_OPEN, or_(*(and_(holds, ~_names(decisions.c.alerted_for, cause)) for cause, holds in holds)))


def is_unmailed(*, has_client: bool) -> ColumnElement[bool]:
    """Whether it must be looked at, and no mail has told why."""
    return and_(is_late(has_client=has_client), decisions.c.alerted_for != decisions.c.mailed_for)


def said(*, has_client: bool) -> ColumnElement[str]:
    """What `alerted_for` becomes once all that holds is said."""
    holds = _holds(has_client=has_client).items()
    named = (
        case((or_(holds, _names(decisions.c.alerted_for, cause)), f"{cause} "), else_="") for cause, holds in holds
    )
    return func.trim(sum(named, start=literal("", Text)), type_=Text)


FORGOTTEN: Mapping[str, Any] = {
    column.name: case((_names(column, Cause.ENDING), Cause.ENDING.value), else_="")
    for column in (decisions.c.alerted_for, decisions.c.mailed_for)
}
"""What becomes of both columns when it is decided or put off: all but the token's end may come again."""
