"""Figures of a record that statisticians count with, for a country's `analytics` rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from app.records.actions import Action

_PLACES = ("child.birthLocation.privateHome", "child.birthLocation.other")


def birth_figures(action: Action, declaration: Mapping[str, Any]) -> dict[str, Any]:
    """`child.age.days`, the age on the day of the action, and `child.countryPlaceOfBirth`, the code of the address.

    Each only where the record says what it follows from.
    """
    figures: dict[str, Any] = {}
    days = _days_between(declaration.get("child.dob"), action.created_at)
    if days is not None:
        figures["child.age.days"] = days
    country = next((code for place in _PLACES if (code := _country(declaration.get(place)))), None)
    if country is not None:
        figures["child.countryPlaceOfBirth"] = country
    return figures


def _days_between(day: Any, moment: str) -> int | None:
    if not isinstance(day, str):
        return None
    try:
        return (date.fromisoformat(moment[:10]) - date.fromisoformat(day[:10])).days
    except ValueError:
        return None


def _country(address: Any) -> str | None:
    code = address.get("country") if isinstance(address, dict) else None
    return code if isinstance(code, str) else None
