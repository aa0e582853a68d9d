"""What core asks: an action of an event, with all that is needed to answer it now or later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.access.action_token import action_token
from app.access.scopes import scope_names
from app.country import Action, User
from app.records.actions import Action as RecordAction
from app.records.schema import EventDocument
from app.records.state import merged_declaration

NEVER = 253_402_300_799.0  # the end of the year 9999


@dataclass(frozen=True)
class Question:
    """`body` is what was received.

    `token` is core's for this very action, "" where core sent one that confirms nothing. `expires_at` is until when the
    action can be confirmed as far as is known, in UTC seconds: the token's end, or NEVER where our client confirms it.
    """

    document: EventDocument
    pending: RecordAction
    body: bytes = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)
    token: str = field(repr=False)
    path: str
    request_id: str
    expires_at: float

    @property
    def is_from_core_2_1(self) -> bool:
        """Whether core sent a token that confirms nothing, as core 2.1 does, which checks what the answer adds."""
        return not self.token

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same question again."""
        return self.document.id, self.pending.id

    def action(self, office_code: str | None) -> Action:
        """What a rule is asked about; `office_code` as far as it is known."""
        return action_of(self.document, self.pending, self.claims, office_code)


@dataclass(frozen=True)
class Asked:
    """What was asked, read back from where it is kept."""

    document: EventDocument
    pending: RecordAction
    claims: Mapping[str, Any] = field(repr=False)
    token: str = field(repr=False)
    office_code: str | None = None

    @property
    def may_confirm(self) -> bool:
        """Whether the action's own token has the scopes with which core 2.0 takes its confirmation."""
        own = action_token(self.claims)
        return own is not None and own.may_confirm

    @property
    def action(self) -> Action:
        """What a rule is asked about."""
        return action_of(self.document, self.pending, self.claims, self.office_code)


def action_of(
    document: EventDocument, pending: RecordAction, claims: Mapping[str, Any], office_code: str | None = None
) -> Action:
    """Return what a rule is asked about, from a document and the claims of core's token.

    The user is the one whom the pending action names: from core 2.1 on the token is core's own, of no user.
    """
    return Action(
        event=document,
        pending=pending,
        declaration=merged_declaration(document, pending),
        user=User(
            id=pending.created_by,
            type=pending.created_by_user_type,
            role=pending.created_by_role or "",
            scopes=tuple(sorted(scope_names(claims))),
        ),
        known_office_code=office_code,
    )
