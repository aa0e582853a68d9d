"""What core asks: an action of an event, with all that is needed to answer it now or later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.access.scopes import scope_names
from app.country import Action, User
from app.records.actions import Action as RecordAction
from app.records.schema import EventDocument
from app.records.state import merged_declaration


@dataclass(frozen=True)
class Question:
    """`body` is what was received; `token` is core's for this very action, `expires_at` its end (UTC seconds)."""

    document: EventDocument
    pending: RecordAction
    body: bytes = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)
    token: str = field(repr=False)
    path: str
    request_id: str

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same question again."""
        return self.document.id, self.pending.id

    @property
    def expires_at(self) -> float:
        return float(self.claims["exp"])

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
