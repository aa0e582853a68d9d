"""Event configurations in the form in which a country's config server gives them to core 2.1."""

from __future__ import annotations

import copy
from typing import Any


def text(name: str) -> dict[str, Any]:
    return {"id": f"event.{name}.label", "defaultMessage": name, "description": f"The label of {name}"}


def field(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": kind, "required": True, "label": text(name), "conditionals": [], **more}


def page(name: str, *fields: dict[str, Any], kind: str = "FORM") -> dict[str, Any]:
    return {"id": name, "type": kind, "title": text(name), "fields": list(fields)}


def action(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "label": text(kind), "flags": [], **more}


NEVER = {"$id": "https://registry.test/never", "type": "object", "not": {}}
HIDDEN = {"conditionals": [{"type": "SHOW", "conditional": NEVER}]}

CHILD = page(
    "child",
    field("child.name", "NAME", configuration={"name": {"firstname": {"required": True}, "surname": {}}}),
    field("child.dob", "DATE", validation=[{"validator": NEVER, "message": text("future")}], analytics=True),
    field("child.gender", "SELECT", options=[{"value": "male", "label": text("male")}], analytics=True),
    field("child.weight", "NUMBER"),
    field("child.foundling", "CHECKBOX"),
    field("child.hidden", "TEXT", **HIDDEN),
    field("child.photo", "FILE"),
)
MOTHER = page(
    "mother",
    field("mother.address", "ADDRESS", configuration={"streetAddressForm": [{"id": "town", "type": "TEXT"}]}),
    field("mother.email", "EMAIL"),
    field("mother.dob", "TEXT", **HIDDEN),  # the same id twice, each shown on a condition of its own
    field("mother.dob", "DATE"),
    field("mother.siblings", "A_TYPE_OF_A_NEWER_CORE"),
) | {"conditional": NEVER}

REVIEW = {
    "title": text("review"),
    "fields": [field("review.comment", "TEXTAREA"), field("review.signature", "SIGNATURE")],
}

BIRTH: dict[str, Any] = {
    "id": "birth",
    "label": text("birth"),
    "title": text("birth"),
    "summary": {"fields": [{"fieldId": "child.dob"}]},
    "analytics": True,
    "declaration": {"label": text("declaration"), "pages": [CHILD, MOTHER]},
    "actions": [
        action("READ", review={"title": text("read"), "fields": [field("read.only", "TEXT")]}),
        action("DECLARE", review=REVIEW, form=[field("declare.note", "TEXT")]),
        action("NOTIFY", form=[field("notify.note", "TEXT")]),
        action("REGISTER", form=[field("register.note", "TEXT")]),
        action("REJECT"),
        action("ARCHIVE"),
        action("EDIT", dialogCopy={"declare": text("edit")}),
        action(
            "PRINT_CERTIFICATE",
            printForm={
                "label": text("print"),
                "pages": [
                    page("collector", field("collector.requester", "SELECT", options=[])),
                    page("collector.identity", kind="VERIFICATION"),
                ],
            },
        ),
        action(
            "REQUEST_CORRECTION",
            correctionForm={"label": text("correct"), "pages": [page("reason", field("correction.reason", "TEXT"))]},
        ),
        action("CUSTOM", customActionType="VALIDATE", form=[field("validate.note", "TEXT")]),
        action("CUSTOM", customActionType="SEAL", form=[]),
    ],
}


def birth(**changes: Any) -> dict[str, Any]:
    """A birth's, with these of its keys changed; changing what is in it changes no other."""
    return copy.deepcopy(BIRTH) | changes


def with_action(kind: str, **more: Any) -> dict[str, Any]:
    """A birth's, with this configuration of an action in the place of its own."""
    kept = [one for one in birth()["actions"] if one["type"] != kind]
    return birth(actions=[*kept, action(kind, **more)])
