"""The values that a field of an event's form can have, as core 2.1 checks an accept (its `FieldTypeMapping`).

Core checks the shape of a value, never more: `required`, conditionals, validators and the options of a choice do not
count here. Null clears a field of any type, and an empty value passes for any type.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.records.formats import is_date, is_uuid

# zod's pattern, spelt out for the same reasons as in `formats`.
_email = re.compile(
    r"(?:[A-Za-z0-9_'+\-]+\.)*[A-Za-z0-9_'+\-]*[A-Za-z0-9_+-]@(?:[A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}"
).fullmatch
_time = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]").fullmatch
_LONGEST_EMAIL = 1_000  # characters; the pattern is not looked for in more
_PERIODS = ("last7Days", "last30Days", "last90Days", "last365Days")


@dataclass(frozen=True)
class Field:
    """A field of a form. `configuration` is what its type is configured with, unchecked."""

    id: str
    type: str
    configuration: Mapping[str, Any] = field(default_factory=dict)


def wrong_value(field: Field, value: Any) -> str | None:
    """Return why core refuses this value, without quoting it; None where it does not, or the type is not known here."""
    if value is None or _is_empty(value):
        return None
    expected = _TYPES.get(field.type)
    if expected is None or expected.accepts(field, value):
        return None
    return f"is not a valid value of {_article(field.type)} {field.type} field: use {expected.form}"


def _article(word: str) -> str:
    return "an" if word[0] in "AEIOU" else "a"


def _is_empty(value: Any) -> bool:
    """Core takes these for no value, in whatever field they are: "", and an object or array of nothing else."""
    if isinstance(value, dict):
        return all(part == "" for part in value.values())
    if isinstance(value, list):
        return all(part == "" for part in value)
    return bool(value == "")


@dataclass(frozen=True)
class _Type:
    form: str  # in words, for people
    accepts: Callable[[Field, Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_number(value: Any) -> bool:
    """JavaScript reads anything larger as infinite, which is not a number to core."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -sys.float_info.max <= value <= sys.float_info.max


def _is_date(value: Any) -> bool:
    return isinstance(value, str) and is_date(value)


def _is_email(value: Any) -> bool:
    return isinstance(value, str) and (len(value) > _LONGEST_EMAIL or _email(value) is not None)


def _is_range(value: Any) -> bool:
    if isinstance(value, dict):
        return _is_date(value.get("start")) and _is_date(value.get("end"))
    return _is_date(value)


def _is_object_of(**parts: Callable[[Any], bool]) -> Callable[[Field, Any], bool]:
    """Keys that are not named may stand in it too: core drops them."""
    return lambda _, value: isinstance(value, dict) and all(takes(value.get(key)) for key, takes in parts.items())


def _is_name(field: Field, value: Any) -> bool:
    """Both names must be there, "" at least: core merges a name with the record's only after this."""
    if not isinstance(value, dict):
        return False
    configured = _object(field.configuration.get("name"))
    for part in ("firstname", "surname", "middlename"):
        is_required = bool(_object(configured.get(part)).get("required"))
        text = value.get(part)
        if part == "middlename" and part not in value and not is_required:
            continue
        if not isinstance(text, str) or (is_required and not text):
            return False
    return True


def _is_address(field: Field, value: Any) -> bool:
    if not isinstance(value, dict) or not _is_text_or_none(value.get("country")):
        return False
    match value.get("addressType"):
        case "DOMESTIC":
            area = value.get("administrativeArea")
            # Advanced search has another form of it, which such a field takes as well.
            if not field.configuration.get("listHistoricalNames") and not _is_uuid_or_none(area):
                return False
        case "INTERNATIONAL":
            pass
        case _:
            return False
    return _are_street_details(field, value.get("streetLevelDetails"))


def _are_street_details(field: Field, details: Any) -> bool:
    if details is None:
        return True
    lines = field.configuration.get("streetAddressForm")
    known = [_object(line).get("id") for line in lines] if isinstance(lines, list) else []
    return isinstance(details, dict) and all(
        key in known and _is_text_or_none(detail) for key, detail in details.items()
    )


def _is_uuid_or_none(value: Any) -> bool:
    return value is None or (isinstance(value, str) and is_uuid(value))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_http(_: Field, value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("loading"), bool | None):
        return False
    error = value.get("error")
    return error is None or (
        isinstance(error, dict) and _is_number(error.get("statusCode")) and _is_text(error.get("message"))
    )


def _is_read_from_a_link(_: Field, value: Any) -> bool:
    read = _object(value).get("data")
    return isinstance(read, dict) and all(map(_is_text, read.values()))


_FILE = {"path": _is_text, "originalFilename": _is_text, "type": _is_text}
_is_file = _is_object_of(**_FILE)
_is_file_with_option = _is_object_of(**_FILE, option=_is_text)


def _are_files(field: Field, value: Any) -> bool:
    return isinstance(value, list) and all(_is_file_with_option(field, one) for one in value)


_OBJECT = _Type("an object", lambda _, value: isinstance(value, dict))
_TEXT = _Type("a text", lambda _, value: _is_text(value))
_FILE_TYPE = _Type("an object with the texts path, originalFilename and type", _is_file)

_TEXT_TYPES = frozenset(
    {
        *("TEXT", "TEXTAREA", "ID", "PHONE", "SELECT", "RADIO_GROUP", "COUNTRY", "ALPHA_HIDDEN"),
        *("LOCATION", "ADMINISTRATIVE_AREA", "FACILITY", "OFFICE"),
        *("PAGE_HEADER", "HEADING", "PARAGRAPH", "BULLET_LIST", "DIVIDER", "IMAGE_VIEW"),
        *("ALPHA_PRINT_BUTTON", "LINK_BUTTON", "LOADER", "VERIFICATION_STATUS"),
    }
)

_TYPES: Mapping[str, _Type] = dict.fromkeys(_TEXT_TYPES, _TEXT) | {
    "ADDRESS": _Type(
        "an object with addressType DOMESTIC or INTERNATIONAL, a text as country, a UUID as administrativeArea, and "
        "streetLevelDetails of texts that the field's streetAddressForm has",
        _is_address,
    ),
    "AGE": _Type(
        "an object with the number age and the text asOfDateRef", _is_object_of(age=_is_number, asOfDateRef=_is_text)
    ),
    "AUTOCOMPLETE": _Type("an object with the texts label and value", _is_object_of(label=_is_text, value=_is_text)),
    "BUTTON": _Type("a number", lambda _, value: _is_number(value)),
    "CHECKBOX": _Type("true or false", lambda _, value: isinstance(value, bool)),
    "DATA": _Type("an object with the object data", lambda _, value: isinstance(_object(value).get("data"), dict)),
    "DATE": _Type("YYYY-MM-DD", lambda _, value: _is_date(value)),
    "DATE_RANGE": _Type("YYYY-MM-DD, or an object with start and end like that", lambda _, value: _is_range(value)),
    "EMAIL": _Type("an e-mail address", lambda _, value: _is_email(value)),
    "FIELD_GROUP": _OBJECT,
    "FILE": _FILE_TYPE,
    "FILE_WITH_OPTIONS": _Type(
        "an array of objects with the texts path, originalFilename, type and option", _are_files
    ),
    "HTTP": _Type("an object with true or false as loading, and data", _is_http),
    "ID_READER": _OBJECT,
    "NAME": _Type("an object with the texts firstname and surname, and middlename where there is one", _is_name),
    "NUMBER": _Type("a number", lambda _, value: _is_number(value)),
    "NUMBER_WITH_UNIT": _Type(
        "an object with the number numericValue and the text unit",
        _is_object_of(numericValue=lambda value: value is None or _is_number(value), unit=_is_text_or_none),
    ),
    "QR_READER": _OBJECT,
    "QUERY_PARAM_READER": _Type("an object with the object data, of texts", _is_read_from_a_link),
    "SEARCH": _Type("an object with true or false as loading, and data", _is_http),
    "SELECT_DATE_RANGE": _Type(f"one of {', '.join(_PERIODS)}", lambda _, value: value in _PERIODS),
    "SIGNATURE": _FILE_TYPE,
    "TIME": _Type("HH:MM", lambda _, value: isinstance(value, str) and _time(value) is not None),
}
