"""The values of a row: what both databases take and order."""

from __future__ import annotations

from typing import Any

from app.analytics.json_text import Unfit
from app.cleaning import clean


def moment(text: str) -> str:
    """A date-time of core's, in a form that both databases take and order. Raises Unfit for the year 0."""
    if text.startswith("0000"):
        raise Unfit("a date in the year 0000")
    return text if len(text) == len("2026-01-31T09:30:00.000Z") else f"{comparable(text)}Z"


def comparable(text: str) -> str:
    """As 2026-01-31T09:30:00.000000: core may leave out the seconds, and give any number of digits after them."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    if len(whole) == len("2026-01-31T09:30"):
        whole += ":00"
    return f"{whole}.{fraction[:6]:0<6}"


def without_nulls(value: Any) -> Any:
    """Objects without the keys that are null, at any depth; in arrays null stays, since it holds a place."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [without_nulls(inner) for inner in value]
    return value


def cleaned(text: str | None) -> str | None:
    if text is None or (text.isascii() and "\0" not in text):
        return text
    return clean(text)
