"""Where in the data a path such as `data.declaration.child.dob` leads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from app.webhooks.json_logic_values import CHARACTERS_PER_STEP, ELEMENTS_PER_STEP, Steps

MISSING: Final = object()

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


def found(data: Any, path: str, steps: Steps) -> Any:
    """What is at the path, MISSING where nothing is."""
    steps.spend(len(path) // CHARACTERS_PER_STEP)
    return found_by(data, path.split("."), steps)


def found_by(data: Any, segments: Sequence[str], steps: Steps) -> Any:
    """The same by the segments of the path.

    Keys with dots in them are tried only where one segment after the other leads nowhere.
    """
    if len(segments) > ELEMENTS_PER_STEP:
        steps.spend(len(segments) // ELEMENTS_PER_STEP)
    value = data
    for segment in segments:
        value = _inside(value, segment)
        if value is MISSING:
            return _with_dots(data, segments, steps) if len(segments) > 1 else MISSING
    return value


def _inside(value: Any, segment: str) -> Any:
    """As value[segment]: of an object a member, of an array or of text an element or its length."""
    if isinstance(value, dict):
        return value.get(segment, MISSING)
    if isinstance(value, list | str):
        if segment == "length":
            return len(value)
        if _INDEX.fullmatch(segment) and int(segment) < len(value):
            return value[int(segment)]
    return MISSING


def _with_dots(value: Any, segments: Sequence[str], steps: Steps) -> Any:
    if not segments:
        return value
    for end in range(len(segments) if isinstance(value, dict) else 1, 0, -1):
        steps.spend(1 + end // ELEMENTS_PER_STEP)
        inside = _inside(value, ".".join(segments[:end]))
        if inside is not MISSING and (at_end := _with_dots(inside, segments[end:], steps)) is not MISSING:
            return at_end
    return MISSING
