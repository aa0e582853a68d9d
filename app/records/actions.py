"""The actions of an event document: their fields, and which form each type has (sections 2 and 8 of the contract)."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from app.records.contents import Comment, Content, DuplicateOf, Duplicates, OptionalReason, Reason, Template

Status = Literal["Requested", "Accepted", "Rejected"]


class Action(Struct, frozen=True, kw_only=True, rename="camel"):
    """What every action has. A field that may be absent or null is None in both cases.

    `declaration`, `annotation` and `content` are the JSON that core sent: never change them. `created_at` is a text,
    because it is as texts that core orders actions by it.

    The fields that only some types have (`content` and those below it) can be asked of any action, and are None where
    its type has none. A Rejected action that is not in the full form of its type is of this class, with an empty
    declaration.
    """

    id: str
    type: str
    transaction_id: str
    created_by_user_type: Literal["user", "system"]
    created_at: str
    created_by: str
    created_by_role: str | None = None
    created_by_signature: str | None = None
    created_at_location: str | None = None
    declaration: dict[str, Any]
    annotation: dict[str, Any] | None = None
    status: Status
    original_action_id: str | None = None

    @property
    def content(self) -> Any:
        """What the action says beside its declaration: an object, such as `{"reason": ...}`, as in `contents`."""
        return None

    @property
    def assigned_to(self) -> str | None:
        """The user's id, of ASSIGN."""
        return None

    @property
    def registration_number(self) -> str | None:
        """Of REGISTER, where it is known."""
        return None

    @property
    def request_id(self) -> str | None:
        """The id of the REQUEST_CORRECTION that is approved or rejected."""
        return None

    @property
    def custom_action_type(self) -> str | None:
        """The country's own name of a CUSTOM action."""
        return None


class WithContent(Action, frozen=True):
    content: dict[str, Any]


class WithOptionalContent(Action, frozen=True):
    content: dict[str, Any] | None = None


class Assign(Action, frozen=True):
    assigned_to: str


class Register(Action, frozen=True):
    registration_number: str | None = None


class ApproveCorrection(Action, frozen=True):
    """The contract does not say what its content is: whatever stands there is kept."""

    request_id: str
    content: Any = None


class RejectCorrection(WithContent, frozen=True):
    request_id: str


class Custom(Action, frozen=True):
    custom_action_type: str


class UnknownAction(Action, frozen=True):
    """An action of a type that a newer core has. Its content is kept, since a late confirmation may have to send it."""

    content: Any = None


class Form(NamedTuple):
    """What is demanded of the actions of one type, beside the class: what may be absent but not null, by core's names,
    and the form of the content, where there is any."""

    action: type[Action] = Action
    never_null: tuple[str, ...] = ("createdByRole",)
    content: type[Content] | None = None


CONFIRMABLE = {
    "NOTIFY": Form(),
    "DECLARE": Form(),
    "EDIT": Form(WithOptionalContent, never_null=("createdByRole", "content"), content=Comment),
    "REGISTER": Form(Register, never_null=("createdByRole", "registrationNumber")),
    "REJECT": Form(WithContent, content=Reason),
    "ARCHIVE": Form(WithOptionalContent, never_null=("createdByRole", "content"), content=OptionalReason),
    "UNARCHIVE": Form(),
    "PRINT_CERTIFICATE": Form(WithOptionalContent, content=Template),
    "REQUEST_CORRECTION": Form(),
    "APPROVE_CORRECTION": Form(ApproveCorrection, never_null=("createdByRole", "content")),
    "REJECT_CORRECTION": Form(RejectCorrection, content=Reason),
    "CUSTOM": Form(Custom),
}
"""The types that core asks the country about."""

NEW_IN_2_1 = frozenset({"UNARCHIVE"})

FORMS = CONFIRMABLE | {
    "CREATE": Form(),
    "READ": Form(),
    "ASSIGN": Form(Assign),
    "UNASSIGN": Form(),
    "DUPLICATE_DETECTED": Form(WithContent, content=Duplicates),
    "MARK_AS_DUPLICATE": Form(WithOptionalContent, never_null=("createdByRole", "content"), content=DuplicateOf),
    "MARK_AS_NOT_DUPLICATE": Form(),
}
"""All types that may stand in a document."""

UNKNOWN = Form(UnknownAction)
"""Any other type: it is judged by the fields that all actions have, and changes nothing that is computed here."""

_is_type_name = re.compile(r"[A-Z][A-Z0-9_]{0,63}").fullmatch


def form_of(action_type: Any) -> Form | None:
    """Return the form of an action type; None for what cannot be a type of any version of core."""
    if not isinstance(action_type, str):
        return None
    return FORMS.get(action_type) or (UNKNOWN if _is_type_name(action_type) else None)


def is_known(action: Action) -> bool:
    """Whether this version knows the action's type, and so what the action does to its record."""
    return action.type in FORMS


BARE = Form()
"""Of a Rejected action of a confirmable type that is not in its full form."""
