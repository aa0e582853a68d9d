"""What a rule is asked about, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.records.actions import Action as RecordAction
from app.records.schema import EventDocument
from app.records.state import merge


@dataclass(frozen=True)
class User:
    """Who asked for the action, as the action itself names them: `type` is `user` or `system`, `role` may be empty.

    `scopes` are the names of the scopes in the token that came with the action, without their options. Core 2.0 sends
    those of the user; core 2.1 sends none.
    """

    id: str
    type: str
    role: str = ""
    scopes: tuple[str, ...] = ()


class OfficeUnknown(Exception):
    """The code of an office is not known: core's locations were never fetched, or it has none there."""


@dataclass(frozen=True)
class Action:
    """What a rule is asked about. `declaration` is the record's, the pending action's merged in. Read only."""

    event: EventDocument
    pending: RecordAction
    declaration: Mapping[str, Any]
    user: User
    known_office_code: str | None = None

    @property
    def year(self) -> int:
        """The year in which the action was asked for, UTC."""
        return int(self.pending.created_at[:4])

    @property
    def office(self) -> str | None:
        """The id of the location in which it was asked for."""
        return self.pending.created_at_location

    @property
    def office_code(self) -> str:
        """What core's locations have as `externalId` of that office.

        Raises OfficeUnknown, so that a rule or a number which needs it is asked again once it is known.
        """
        if not self.known_office_code:
            raise OfficeUnknown(
                "the office's code is not known: the worker fetches core's locations from GATEWAY_URL, and takes their "
                "externalId"
            )
        return self.known_office_code

    def after(self, answer: Mapping[str, Any]) -> Action:
        """The same with what an accept has added to the declaration."""
        added = answer.get("declaration")
        return replace(self, declaration=merge(self.declaration, added)) if added else self
