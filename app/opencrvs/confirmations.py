"""Accepting and rejecting at core what was deferred.

What each procedure takes was recorded from core 2.0's own client; see `fields`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from app.opencrvs import trpc
from app.opencrvs.trpc import RefusalCode, Refused, Result, Unavailable
from app.records.actions import CONFIRMABLE, FORMS, Action

__all__ = [
    "Confirmation",
    "Confirmed",
    "CoreEvents",
    "RefusalCode",
    "Refused",
    "Result",
    "Unavailable",
    "may_reject_late",
]

_PROCEDURES = {
    "NOTIFY": "notify",
    "DECLARE": "declare",
    "EDIT": "edit",
    "REJECT": "reject",
    "ARCHIVE": "archive",
    "UNARCHIVE": "unarchive",
    "REGISTER": "register",
    "PRINT_CERTIFICATE": "printCertificate",
    "CUSTOM": "custom",
    "REQUEST_CORRECTION": "correction.request",
    "APPROVE_CORRECTION": "correction.approve",
    "REJECT_CORRECTION": "correction.reject",
    "REVOKE_REGISTRATION": "revocation.revoke",  # announced for the version after 2.1, as is the next
    "REINSTATE_REGISTRATION": "revocation.reinstate",
}
_WITH_CONTENT = ("REJECT", "ARCHIVE", "REJECT_CORRECTION", "EDIT", "PRINT_CERTIFICATE", "APPROVE_CORRECTION")
_WITH_REQUEST_ID = ("APPROVE_CORRECTION", "REJECT_CORRECTION")
_NEVER_ASKED = frozenset(FORMS) - frozenset(CONFIRMABLE)
_ONLY_AT_ONCE = ("REJECT", "APPROVE_CORRECTION", "REJECT_CORRECTION")


def may_reject_late(action_type: str) -> bool:
    """Whether core 2.0 takes a reject after 202. For three types a check of its database fails: only 400 rejects those.

    Core 2.1 takes it for all.
    """
    return action_type not in _ONLY_AT_ONCE


def _procedure(action_type: str) -> str | None:
    """The path of an action type at core; of an unknown one what core's own naming makes likely."""
    if action_type in _PROCEDURES:
        return _PROCEDURES[action_type]
    if action_type in _NEVER_ASKED:
        return None
    first, *rest = action_type.lower().split("_")
    return first + "".join(part.title() for part in rest)


@dataclass(frozen=True)
class Confirmation:
    """The country's word on one pending action. Made by `accepting` or `rejecting`.

    From `action_id` to `created_at_location` it is the pending action's own, None where that has none. The rest is
    what an accept adds: `declaration` only what is new, `registration_number` for REGISTER only.
    """

    accepted: bool
    event_id: str
    action_id: str
    action_type: str
    transaction_id: str
    content: Mapping[str, Any] | None = field(default=None, repr=False)
    request_id: str | None = None
    custom_action_type: str | None = None
    created_by_user_type: str = "user"
    created_at_location: str | None = None
    registration_number: str | None = field(default=None, repr=False)
    declaration: Mapping[str, Any] | None = field(default=None, repr=False)
    annotation: Mapping[str, Any] | None = field(default=None, repr=False)
    keep_assignment: bool | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for what core could never take: another action type, a REGISTER without its number."""
        if _procedure(self.action_type) is None:
            raise ValueError(f"core does not ask about {self.action_type}")
        if self.accepted and self.action_type == "REGISTER" and not self.registration_number:
            raise ValueError("REGISTER is only accepted with a registration number")

    @classmethod
    def accepting(
        cls,
        event_id: str,
        pending: Action,
        *,
        registration_number: str | None = None,
        declaration: Mapping[str, Any] | None = None,
        annotation: Mapping[str, Any] | None = None,
        keep_assignment: bool | None = None,
    ) -> Self:
        """Yes, with what is added. Raises ValueError as said above.

        `keep_assignment` is whether the registrar who holds the record keeps it; None leaves that to core, which takes
        it away.
        """
        return cls(
            accepted=True,
            **_own(event_id, pending),
            registration_number=registration_number,
            declaration=declaration,
            annotation=annotation,
            keep_assignment=keep_assignment,
        )

    @classmethod
    def rejecting(cls, event_id: str, pending: Action, *, keep_assignment: bool | None = None) -> Self:
        """No. Core takes no reason. Whether it takes the no at all is said by `may_reject_late`."""
        return cls(accepted=False, **_own(event_id, pending), keep_assignment=keep_assignment)

    @property
    def procedure(self) -> str:
        """Its path at core: `event.actions.register.accept`."""
        return f"event.actions.{_procedure(self.action_type)}.{'accept' if self.accepted else 'reject'}"

    @property
    def fields(self) -> dict[str, Any]:
        """What is sent, by core's names. What there is not is left out, never null; values inside may be null.

        The transaction id is the pending action's own: core silently drops an insert whose (transactionId, type,
        status) it has seen.
        """
        fields: dict[str, Any] = {
            "eventId": self.event_id,
            "actionId": self.action_id,
            "transactionId": self.transaction_id,
            "keepAssignment": self.keep_assignment,
        }
        if self.created_by_user_type == "system":
            fields["createdAtLocation"] = self.created_at_location
        if self.accepted:
            fields |= self._additions() | self._own_input()
        return {name: value for name, value in fields.items() if value is not None}

    def _additions(self) -> dict[str, Any]:
        number = self.registration_number if self.action_type == "REGISTER" else None
        return {
            "declaration": self.declaration or {},
            "annotation": self.annotation,
            "registrationNumber": number,
        }

    def _own_input(self) -> dict[str, Any]:
        """What the action was requested with, and core wants to see again."""
        own: dict[str, Any] = {}
        if self.action_type in _WITH_CONTENT or self.action_type not in CONFIRMABLE:
            own["content"] = self.content
        if self.action_type == "EDIT":
            own["content"] = self.content or {}
        if self.action_type in _WITH_REQUEST_ID:
            own["requestId"] = self.request_id
        if self.action_type == "CUSTOM":
            own["customActionType"] = self.custom_action_type
        return own


def _own(event_id: str, pending: Action) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "action_id": pending.id,
        "action_type": pending.type,
        "transaction_id": pending.transaction_id,
        "content": pending.content,
        "request_id": pending.request_id,
        "custom_action_type": pending.custom_action_type,
        "created_by_user_type": pending.created_by_user_type,
        "created_at_location": pending.created_at_location,
    }


@dataclass(frozen=True)
class Confirmed:
    """Core has it, now or since an earlier try. `record` is the event document that core answers with, unchecked."""

    record: Any = field(default=None, compare=False, repr=False)


class CoreEvents:
    """Core's events service, behind its gateway. Safe for threads."""

    def __init__(self, gateway_url: str, *, timeout: tuple[float, float] = (3.0, 15.0)) -> None:
        """`timeout` is in seconds: to connect; for each part of the answer, and for its body as a whole."""
        self._url = f"{gateway_url.rstrip('/')}/events"
        self._timeout = timeout

    def confirm(self, confirmation: Confirmation, token: str) -> Confirmed | Refused | Unavailable:
        """Tell core, with its own token of the action. Raises nothing; sent twice, it is harmless.

        A reject of what core has as accepted is Unavailable, not Refused: production core hides it behind a plain
        INTERNAL_SERVER_ERROR. So the caller bounds its tries.
        """
        outcome = trpc.mutate(self._url, confirmation.procedure, confirmation.fields, token, self._timeout)
        return Confirmed(outcome.json) if isinstance(outcome, trpc.Done) else outcome

    def record(self, event_id: str, token: str) -> Result | Refused | Unavailable:
        """Ask for an event document, unchecked.

        Core appends a READ action to the record at every such call, indexes and audits it: never ask on a schedule.
        """
        return trpc.query(self._url, "event.get", token, self._timeout, {"eventId": event_id})
