"""The token that comes with an event action, of core 2.0 and of core 2.1 (sections 4 and 8 of the contract).

Core 2.0 sends a token that is bound to the event and the action, and that confirms the action later. Core 2.1 sends its
service token: it proves that core calls, and confirms nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.access.callers import SERVICE_SUBJECT
from app.access.scopes import scope_names

_SYSTEM = "system"
_CONFIRMING_SCOPES = frozenset({"record.confirm-registration", "record.reject-registration", "record.action.accept"})


@dataclass(frozen=True)
class ActionToken:
    """Which action a token speaks for: the event and action that it names, in lower case; None where it names none.

    `is_service` is core 2.1's own token, which names an action at most. `may_confirm` says that it has the scopes with
    which core 2.0 takes a confirmation.
    """

    event_id: str | None
    action_id: str | None
    is_service: bool
    may_confirm: bool


def action_token(claims: Mapping[str, Any]) -> ActionToken | None:
    """Return what a verified token says about an event action; None for a token of anybody else, such as a user's own.

    A user's own token has the same audience, so that only these claims tell it from core's.
    """
    event_id, action_id = _id(claims.get("eventId")), _id(claims.get("actionId"))
    is_service = claims.get("sub") == SERVICE_SUBJECT and claims.get("userType") == _SYSTEM
    if not is_service and (event_id is None or action_id is None):
        return None
    is_bound = event_id is not None and action_id is not None
    return ActionToken(event_id, action_id, is_service, is_bound and bool(_CONFIRMING_SCOPES & scope_names(claims)))


def _id(claim: Any) -> str | None:
    return claim.lower() if isinstance(claim, str) else None
