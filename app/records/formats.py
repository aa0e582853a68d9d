"""The two formats that core checks, UUIDs and date-times, as its schema library (zod 4) reads them."""

from __future__ import annotations

import re
from calendar import isleap

# Spelt out: Python's `\d` takes the digits of all scripts, its IGNORECASE letters beyond ASCII, its `$` a newline.
# Possessive (`?+`), because nothing can be gained by going back: that halves the time.
_uuid = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
    r"|00000000-0000-0000-0000-000000000000"
    r"|ffffffff-ffff-ffff-ffff-ffffffffffff"
).fullmatch
_date_time = re.compile(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]++)?+)?+Z"
).fullmatch
_DAYS = {"02": 29, "04": 30, "06": 30, "09": 30, "11": 30}

NOT_A_UUID = "Not a valid UUID"
NOT_A_DATE_TIME = "Not a valid date-time: UTC is wanted, as in 2026-01-31T09:30:00.000Z"
EMPTY = "May not be empty"


def is_uuid(text: str) -> bool:
    """Versions 1 to 8 of the RFC 9562 variant in any letter case, nil, and max in lower case; always with dashes."""
    return _uuid(text) is not None


def is_date_time(text: str) -> bool:
    """UTC with a capital Z, of a day that exists; seconds are optional, their fraction has any number of digits."""
    return _date_time(text) is not None and (text[8:10] < "29" or _exists(text))


def is_date(text: str) -> bool:
    """YYYY-MM-DD, of a day that exists."""
    return is_date_time(f"{text}T00:00Z")


def _exists(text: str) -> bool:
    month, day = text[5:7], int(text[8:10])
    if month == "02" and day == 29:
        return isleap(int(text[:4]))  # the year 0000 too, which `datetime` does not know
    return day <= _DAYS.get(month, 31)
