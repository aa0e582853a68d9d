"""Who declared an event, and whom it is about, as far as the fields that core's forms ship with say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_RELATIONS = ("mother", "father", "spouse")
_SUBJECTS = (("child.name",), ("deceased.name",), ("bride.name", "groom.name"), ("applicant.name",))
_PARTS = ("firstname", "middlename", "surname")


@dataclass(frozen=True)
class Informant:
    """Who is told what becomes of a declaration; all texts, "" where there is none. Without an address: nobody.

    `name` and `firstname` are the informant's, `subject` is the name of whom the record is about. `language` is a
    column of `translations/*.csv`.
    """

    email: str = ""
    mobile: str = ""
    name: str = ""
    firstname: str = ""
    subject: str = ""
    language: str = ""


def informant_of(declaration: Mapping[str, Any]) -> Informant:
    """By `informant.*`, with the name of the mother, father or spouse where `informant.relation` says that it is them.

    What is missing, or is no text, counts as "".
    """
    relation = _text(declaration.get("informant.relation")).lower()
    named = declaration.get(f"{relation}.name") if relation in _RELATIONS else None
    if not full_name(named):
        named = declaration.get("informant.name")
    return Informant(
        email=_text(declaration.get("informant.email")),
        mobile=_text(declaration.get("informant.phoneNo")),
        name=full_name(named),
        firstname=_text(named.get("firstname")) if isinstance(named, Mapping) else "",
        subject=_subject(declaration),
    )


def full_name(name: Any) -> str:
    """First, middle and surname in one line, without what is empty; "" for what is no name."""
    if not isinstance(name, Mapping):
        return ""
    return " ".join(filter(None, (_text(name.get(part)) for part in _PARTS)))


def _subject(declaration: Mapping[str, Any]) -> str:
    for fields in _SUBJECTS:
        names = [name for name in (full_name(declaration.get(field)) for field in fields) if name]
        if names:
            return " & ".join(names)
    return ""


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
