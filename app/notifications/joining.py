"""One e-mail in several languages: the pages below each other, the first one's head around them all."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HTML = re.compile(r"<html\b([^<>]*)>", re.IGNORECASE)
_SPOKEN = re.compile(r"""(?<!\S)(?:lang|dir)\s*=\s*(?:"[^"]*"|'[^']*'|[\w-]+)""", re.IGNORECASE)
_BODY_BEGINS = re.compile(r"<body\b[^<>]*>", re.IGNORECASE)
_BODY_ENDS = re.compile(r"</body\s*>", re.IGNORECASE)
# A style that is never closed ends where the next one begins: otherwise many of them take quadratic time.
_STYLE = re.compile(r"<style\b[^<>]*>(?:(?!</?style\b).)*+</style\s*>", re.IGNORECASE | re.DOTALL)
_HEAD_ENDS = re.compile(r"</head\s*>", re.IGNORECASE)


def joined_pages(pages: Sequence[str]) -> str:
    """Whole HTML pages as one; styles that a later one has and the first has not go along."""
    first, *others = pages
    styles = _STYLE.findall(first)
    added = [style for page in others for style in _STYLE.findall(page) if style not in styles]
    bodies = "\n".join(_body(page) for page in others)
    if added:
        styles_added = "\n".join(dict.fromkeys(added))
        first = _HEAD_ENDS.sub(lambda end: f"{styles_added}\n{end.group()}", first, count=1)
    end = _last_end(first)
    return f"{first}\n{bodies}" if end is None else f"{first[:end]}{bodies}\n{first[end:]}"


def _last_end(page: str) -> int | None:
    """Return the position of the last end tag of a body."""
    return max((end.start() for end in _BODY_ENDS.finditer(page)), default=None)


def _body(page: str) -> str:
    """What is in it, in its own language and direction."""
    begin, end = _BODY_BEGINS.search(page), _last_end(page)
    inside = page if begin is None or end is None or end < begin.end() else page[begin.end() : end]
    html = _HTML.search(page)
    spoken = " ".join(_SPOKEN.findall(html.group(1))) if html else ""
    return f"<div {spoken}>{inside}</div>" if spoken else inside
