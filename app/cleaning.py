"""Text as it may leave us: core's schemas allow what UTF-8, PostgreSQL and mail refuse."""

from __future__ import annotations


def clean(text: str) -> str:
    """Text that UTF-8 can say: without U+0000, and with U+FFFD for each half of a surrogate pair that stands alone."""
    if not text.isascii():
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "")
