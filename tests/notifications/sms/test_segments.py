"""How many parts a text goes as."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.notifications.sms.segments import Segments, segments


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("GSM-7", 0, 1)),
        ("a" * 160, ("GSM-7", 160, 1)),
        ("a" * 161, ("GSM-7", 161, 2)),
        ("a" * 306, ("GSM-7", 306, 2)),
        ("a" * 307, ("GSM-7", 307, 3)),
        ("€" * 80, ("GSM-7", 160, 1)),
        ("€" * 80 + "a", ("GSM-7", 161, 2)),
        ("é è à ù É Ç ñ ß Ω\r\n@£$¥[]{}\\^~|", ("GSM-7", 39, 1)),
        ("ê" * 70, ("UCS-2", 70, 1)),
        ("ê" * 71, ("UCS-2", 71, 2)),
        ("ê" * 134, ("UCS-2", 134, 2)),
        ("ê" * 135, ("UCS-2", 135, 3)),
        ("👶" * 35, ("UCS-2", 70, 1)),
        ("👶" * 36, ("UCS-2", 72, 2)),
        ("c'est prêt", ("UCS-2", 10, 1)),
        ("l\u2019été", ("UCS-2", 5, 1)),
        ("ç", ("UCS-2", 1, 1)),
        ("`", ("UCS-2", 1, 1)),
        ("\t", ("UCS-2", 1, 1)),
        ("\x1b", ("UCS-2", 1, 1)),
    ],
)
def test_the_limits(text: str, expected: tuple[str, int, int]) -> None:
    assert segments(text) == Segments(*expected)


def test_an_escape_is_not_parted_from_its_character() -> None:
    assert segments("a" * 152 + "€" + "a" * 152).count == 3  # 306 septets, but the € moves to the second part
    assert segments("a" * 151 + "€" + "a" * 153).count == 2


def test_a_surrogate_pair_is_not_cut() -> None:
    assert segments("ê" * 66 + "👶" + "ê" * 66).count == 3
    assert segments("ê" * 65 + "👶" + "ê" * 67).count == 2


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_characters_are_what_the_encoding_makes_of_the_text(text: str) -> None:
    found = segments(text)
    if found.encoding == "UCS-2":
        assert found.characters == len(text.encode("utf-16-le")) // 2
    else:
        assert len(text) <= found.characters <= 2 * len(text)
    assert found.count >= 1
