"""UUIDs and date-times as core's schema library reads them."""

from __future__ import annotations

import pytest

from app.records.formats import is_date_time, is_uuid

UUIDS = [f"6ba7b810-9dad-{version}1d1-80b4-00c04fd430c8" for version in range(1, 9)] + [
    "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
    "6ba7b810-9dad-41d1-90b4-00c04fd430c8",
    "6ba7b810-9dad-41d1-a0b4-00c04fd430c8",
    "6ba7b810-9dad-41d1-B0b4-00c04fd430c8",
    "6BA7B810-9DAD-11D1-80B4-00C04FD430C8",
    "6bA7b810-9dAd-41d1-80b4-00c04Fd430C8",
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
]
NOT_UUIDS = [
    "",
    " ",
    "not-a-uuid",
    "6ba7b810-9dad-01d1-80b4-00c04fd430c8",  # version 0
    "6ba7b810-9dad-91d1-80b4-00c04fd430c8",  # version 9
    "6ba7b810-9dad-a1d1-80b4-00c04fd430c8",
    "6ba7b810-9dad-41d1-70b4-00c04fd430c8",  # the variant before
    "6ba7b810-9dad-41d1-c0b4-00c04fd430c8",  # the variant after
    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "ffffffff-ffff-ffff-ffff-fffffffffffF",
    "00000000-0000-0000-0000-000000000001",
    "6ba7b8109dad41d180b400c04fd430c8",
    "6ba7b8109dad-41d1-80b4-00c04fd430c8-",
    "{6ba7b810-9dad-41d1-80b4-00c04fd430c8}",
    "urn:uuid:6ba7b810-9dad-41d1-80b4-00c04fd430c8",
    "6ba7b810-9dad-41d1-80b4-00c04fd430c",
    "6ba7b810-9dad-41d1-80b4-00c04fd430c80",
    "6ba7b810-9dad-41d1-80b4-00c04fd430cg",
    " 6ba7b810-9dad-41d1-80b4-00c04fd430c8",
    "6ba7b810-9dad-41d1-80b4-00c04fd430c8\n",
    "6ba7b810-9dad-41d1-80b4-00c04fd430c8\x00",
    "00000000-0000-0000-0000-000000000000\n",
    "6ba7b810-9dad-\N{ARABIC-INDIC DIGIT FOUR}1d1-80b4-00c04fd430c8",
    "\N{ARABIC-INDIC DIGIT SIX}ba7b810-9dad-41d1-80b4-00c04fd430c8",
    "6ba7b810-9dad-41d1-80b4-00c04fd430c\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}",
    "6ba7b810-9dad-41d1-80b4-00c04fd430c\N{LATIN SMALL LETTER LONG S}",
    "6ba7b810-9dad-41d1-80b4-00c04fd430c\ud800",
]
DATE_TIMES = [
    "2026-01-01T00:00Z",
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00.1Z",
    "2026-01-01T00:00:00.000Z",
    "2026-01-01T00:00:00.123456789012345678901Z",
    "2026-12-31T23:59:59.999Z",
    "2026-04-30T12:00:00Z",
    "2026-02-28T12:00:00Z",
    "2024-02-29T12:00:00Z",
    "2000-02-29T12:00:00Z",
    "0000-02-29T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
]
NOT_DATE_TIMES = [
    "",
    "now",
    "2026-01-01",
    "2026-01-01T00:00:00",
    "2026-01-01T00:00:00z",
    "2026-01-01t00:00:00Z",
    "2026-01-01 00:00:00Z",
    "2026-01-01T00:00:00+00:00",
    "2026-01-01T00:00:00+02:00",
    "2026-01-01T00:00:00.Z",
    "2026-01-01T00:00:00,5Z",
    "2026-01-01T00:00.5Z",
    "2026-01-01T00Z",
    "2026-01-01T0:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T23:60:00Z",
    "2026-01-01T23:59:60Z",  # a leap second
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-01-32T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-06-31T00:00:00Z",
    "2026-09-31T00:00:00Z",
    "2026-11-31T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2024-02-30T00:00:00Z",
    "2025-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2100-02-29T00:00:00Z",
    "26-01-01T00:00:00Z",
    "+002026-01-01T00:00:00Z",
    "-2026-01-01T00:00:00Z",
    "12026-01-01T00:00:00Z",
    "2026-1-1T00:00:00Z",
    " 2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00Z\n",
    "2026-01-01T00:00:00Z ",
    "2026-01-01T00:00:00\nZ",
    "\N{ARABIC-INDIC DIGIT TWO}026-01-01T00:00:00Z",
    "2026-01-01T00:00:00.\N{ARABIC-INDIC DIGIT ONE}Z",
    "\N{FULLWIDTH DIGIT TWO}026-01-01T00:00:00Z",
    "2026-01-01T00:00:00\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}",
    "2026-01-01T00:00:00Z\ud800",
]


@pytest.mark.parametrize("text", UUIDS)
def test_these_are_uuids(text: str) -> None:
    assert is_uuid(text)


@pytest.mark.parametrize("text", NOT_UUIDS, ids=ascii)
def test_these_are_no_uuids(text: str) -> None:
    assert not is_uuid(text)


@pytest.mark.parametrize("text", DATE_TIMES)
def test_these_are_date_times(text: str) -> None:
    assert is_date_time(text)


@pytest.mark.parametrize("text", NOT_DATE_TIMES, ids=ascii)
def test_these_are_no_date_times(text: str) -> None:
    assert not is_date_time(text)
