"""How the list of messages is ordered: by whom they are for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.notifications.catalogue import DECISION_OPEN, FAMILIES, INFORMANT_MESSAGES, OTHER, USER_MESSAGES
from app.notifications.previews.current import Line

ALL = "all"
WITH_PROBLEMS = "problems"
_TITLES = {  # a heading, and a short one
    "accounts": ("Accounts of users", "Accounts"),
    "birth": ("Informants of a birth", "Birth"),
    "death": ("Informants of a death", "Death"),
    "marriage": ("Informants of a marriage", "Marriage"),
    OTHER: ("Informants of any other event", "Other events"),
    "operators": ("Operators of this server", "Operators"),
    "yours": ("Your own, from rules.py", "Your own"),
}


@dataclass(frozen=True)
class Choice:
    """What the list can be narrowed down to, and how many messages that are."""

    key: str
    title: str
    count: int


def heading_of(name: str) -> str:
    """Whom the message is for."""
    return _TITLES[_group_of(name)][0]


def choices(lines: Sequence[Line]) -> list[Choice]:
    """Those that show something."""
    there = [
        Choice(ALL, "All", len(lines)),
        *(Choice(key, short, len(_of(lines, key))) for key, (_, short) in _TITLES.items()),
        Choice(WITH_PROBLEMS, "With problems", sum(bool(line.problems) for line in lines)),
    ]
    return [choice for choice in there if choice.count]


def grouped(lines: Iterable[Line], chosen: str) -> list[tuple[str, list[Line]]]:
    """The messages of a choice, under their headings."""
    wanted = [line for line in lines if chosen != WITH_PROBLEMS or line.problems]
    keys = [chosen] if chosen in _TITLES else list(_TITLES)
    return [(_TITLES[key][0], found) for key in keys if (found := _of(wanted, key))]


def _of(lines: Iterable[Line], key: str) -> list[Line]:
    return [line for line in lines if _group_of(line.message.sample.message.name) == key]


def _group_of(name: str) -> str:
    if name in USER_MESSAGES:
        return "accounts"
    if name in INFORMANT_MESSAGES:
        return next(family for family in (*FAMILIES, OTHER) if name.startswith(f"{family}-"))
    return "operators" if name == DECISION_OPEN.name else "yours"
