"""In which language somebody is written to."""

from __future__ import annotations

import pytest

from app.notifications.languages import Languages

LANGUAGES = Languages(("fr", "ar"), ["en", "fr", "ar", "pt-BR", "sr_Latn"])


@pytest.mark.parametrize(
    ("wished", "found"),
    [
        ("en", "en"),
        ("EN", "en"),
        (" en ", "en"),
        ("en-GB", "en"),
        ("fr_CA", "fr"),
        ("pt-BR", "pt-BR"),
        ("pt_br", "pt-BR"),
        ("sr-Latn", "sr_Latn"),
    ],
)
def test_a_wish_is_found_however_it_is_written(wished: str, found: str) -> None:
    assert LANGUAGES.of(wished) == (found,)


@pytest.mark.parametrize("wished", [None, "", " ", "pt", "de", "-", "english", 1, ["en"], {"en": 1}, True])
def test_where_there_is_no_such_language_the_default_is_spoken(wished: object) -> None:
    assert LANGUAGES.of(wished) == ("fr", "ar")
    assert LANGUAGES.match(wished) is None
