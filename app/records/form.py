"""The form of an event type: the fields that core 2.1 takes in the answer to an action, or in a late accept.

Made of one event configuration. As core does it (`validateActionPayloadStructure`), a key is held against the ids of
the form's fields, and its value against the shape of the field's type. Hidden fields are taken, `required` does not
count, and no conditional or validator is evaluated. Where core's versions differ, the more lenient one is followed, so
that whatever is reported here is refused by core.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from app.records.form_values import Field, wrong_value


class Part(StrEnum):
    """The two parts of an answer that hold fields."""

    DECLARATION = "declaration"
    ANNOTATION = "annotation"


class Problem(NamedTuple):
    """A field that core would refuse. `message` says why, and what to do; it never quotes the value."""

    part: Part
    field: str
    message: str


# Core checks the annotation of these wherever the action is configured. That of all others (EDIT, ARCHIVE, UNARCHIVE,
# the decisions on a correction, and what newer versions add) is checked only where the action has a form of its own.
_ALWAYS_ANNOTATED = frozenset(
    ("NOTIFY", "DECLARE", "REGISTER", "REJECT", "PRINT_CERTIFICATE", "REQUEST_CORRECTION", "CUSTOM")
)


@dataclass(frozen=True)
class ActionForm:
    """The fields that may annotate an action, and the pages that are answered with true or false."""

    fields: Mapping[str, Field]
    verification_pages: frozenset[str]


@dataclass(frozen=True)
class EventForm:
    """What one event type's records and actions can hold.

    `declaration` is None where the configuration has no declaration form, so that nothing is known of it. `actions` has
    the actions whose annotation core checks, by type and custom type ("" for all but CUSTOM).
    """

    declaration: Mapping[str, Field] | None
    actions: Mapping[tuple[str, str], ActionForm]
    notification: Mapping[str, Field]

    @classmethod
    def of(cls, configuration: Mapping[str, Any]) -> EventForm:
        """Read an event configuration. Raises nothing: what is not in core's form is passed over."""
        actions = [_object(action) for action in _list(configuration.get("actions"))]
        notify, declare = _first(actions, "NOTIFY"), _first(actions, "DECLARE")
        # Core 2.1 has the declaration beside the actions, newer ones have it in DECLARE.
        forms = [form for form in (configuration.get("declaration"), declare.get("declaration")) if _has_pages(form)]
        return cls(
            declaration=_by_id(field for form in forms for field in _in_pages(form)) if forms else None,
            actions=_action_forms(actions),
            notification=_by_id(_in_pages(notify.get("notificationForm"))),
        )

    @property
    def field_ids(self) -> frozenset[str]:
        """All that a declaration or an annotation can hold."""
        annotated = (field for form in self.actions.values() for field in (*form.fields, *form.verification_pages))
        return frozenset((*(self.declaration or ()), *self.notification, *annotated))

    def problems_of(
        self,
        action_type: str,
        declaration: Mapping[str, Any],
        annotation: Mapping[str, Any] | None,
        custom_action_type: str | None = None,
    ) -> list[Problem]:
        """Return what core would refuse of these additions to an action, in their order. Raises nothing."""
        return [
            *self._in_declaration(action_type, declaration),
            *self._in_annotation(action_type, custom_action_type or "", annotation or {}),
        ]

    def _in_declaration(self, action_type: str, added: Mapping[str, Any]) -> Iterator[Problem]:
        if self.declaration is None:
            return
        known = self.declaration
        if action_type == "NOTIFY":
            known = {**self.notification, **known}
        for key, value in added.items():
            if (message := _wrong(known.get(key), value, "the declaration form")) is not None:
                yield Problem(Part.DECLARATION, key, message)

    def _in_annotation(self, action_type: str, custom_action_type: str, added: Mapping[str, Any]) -> Iterator[Problem]:
        form = self.actions.get((action_type, custom_action_type if action_type == "CUSTOM" else ""))
        if form is None:
            return
        for key, value in added.items():
            if key in form.verification_pages:
                message = None if isinstance(value, bool) else "is a verification page: use true or false"
            else:
                message = _wrong(form.fields.get(key), value, f"the forms of {action_type}")
            if message is not None:
                yield Problem(Part.ANNOTATION, key, message)


def _wrong(field: Field | None, value: Any, form: str) -> str | None:
    if field is None:
        return f"is not a field of {form}: add it to the event configuration, or leave it out"
    return wrong_value(field, value)


def _action_forms(actions: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], ActionForm]:
    """The first configuration of an action counts."""
    forms: dict[tuple[str, str], ActionForm] = {}
    for action in actions:
        action_type = action.get("type")
        if not isinstance(action_type, str):
            continue
        custom = action.get("customActionType") if action_type == "CUSTOM" else ""
        if isinstance(custom, str) and (action_type in _ALWAYS_ANNOTATED or isinstance(action.get("form"), list)):
            forms.setdefault((action_type, custom), _action_form(action))
    # A notification may have what a declaration has: core's versions differ on what it may not have.
    notify, declare = forms.get(("NOTIFY", "")), forms.get(("DECLARE", ""))
    if declare is not None:
        own = notify.fields if notify is not None else {}
        forms["NOTIFY", ""] = ActionForm({**declare.fields, **own}, declare.verification_pages)
    return forms


def _action_form(action: Mapping[str, Any]) -> ActionForm:
    pages = [page for name in ("printForm", "correctionForm") for page in _pages(action.get(name))]
    fields = [
        *_fields(_object(action.get("review")).get("fields")),
        *_fields(action.get("form")),
        *(field for page in pages for field in _fields(page.get("fields"))),
    ]
    verified = (page.get("id") for page in pages if page.get("type") == "VERIFICATION")
    return ActionForm(_by_id(fields), frozenset(page for page in verified if isinstance(page, str)))


def _first(actions: Iterable[Mapping[str, Any]], action_type: str) -> Mapping[str, Any]:
    return next((action for action in actions if action.get("type") == action_type), {})


def _has_pages(form: Any) -> bool:
    return isinstance(_object(form).get("pages"), list)


def _pages(form: Any) -> Iterator[Mapping[str, Any]]:
    return map(_object, _list(_object(form).get("pages")))


def _in_pages(form: Any) -> Iterator[Field]:
    for page in _pages(form):
        yield from _fields(page.get("fields"))


def _fields(listed: Any) -> Iterator[Field]:
    for value in map(_object, _list(listed)):
        name, kind = value.get("id"), value.get("type")
        if isinstance(name, str):
            yield Field(name, kind if isinstance(kind, str) else "", _object(value.get("configuration")))


def _by_id(fields: Iterable[Field]) -> dict[str, Field]:
    """Several may have one id, each shown on a condition of its own: core checks by the first."""
    found: dict[str, Field] = {}
    for field in fields:
        found.setdefault(field.id, field)
    return found


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
