"""How many parts an SMS goes as, which is what it costs.

3GPP TS 23.038 has the two alphabets: the GSM 7 bit default alphabet with its extension table (sections 6.2.1 and
6.2.1.1), and UCS2 (section 6.2.3), which in practice is UTF-16. A message holds 140 octets: 160 septets or 70 units
of 16 bits; one of several parts spends six octets on saying which part it is (TS 23.040 section 9.2.3.24.1), which
leaves 153 or 67.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"  # 0x00 to 0x1F, without the escape
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")  # each behind an escape, so two septets
_GSM_7 = _BASIC | _EXTENSION


@dataclass(frozen=True)
class Segments:
    """`characters` are what the limits count: septets (GSM-7) or UTF-16 units (UCS-2); `count` is the parts sent."""

    encoding: str
    characters: int
    count: int


def segments(text: str) -> Segments:
    """The parts that `text` goes as; an empty one goes as one. No escape and no surrogate pair is cut in two."""
    if _GSM_7.issuperset(text):
        return _counted("GSM-7", [2 if character in _EXTENSION else 1 for character in text], 160, 153)
    return _counted("UCS-2", [2 if character > "\uffff" else 1 for character in text], 70, 67)


def odd_characters(text: str) -> list[str]:
    """Those that GSM-7 does not have, each once, and that therefore make an SMS cost more."""
    return [character for character in dict.fromkeys(text) if character not in _GSM_7]


def _counted(encoding: str, widths: Sequence[int], alone: int, together: int) -> Segments:
    characters = sum(widths)
    return Segments(encoding, characters, 1 if characters <= alone else _parts(widths, together))


def _parts(widths: Sequence[int], room: int) -> int:
    parts, used = 1, 0
    for width in widths:
        if used + width > room:
            parts, used = parts + 1, 0
        used += width
    return parts
