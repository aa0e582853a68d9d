"""One e-mail in several languages: the pages below each other, the first one's head around them all."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HTML = re.compile(r"<html\b([^>]*)>", re.IGNORECASE)
_SPOKEN = re.compile(r"""(?<!\S)(?:lang|dir)\s*=\s*(?:"[^"]*"|'[^']*'|[\w-]+)""", re.IGNORECASE)
_BODY = re.compile(r"<body\b[^>]*>(.*)</body\s*>", re.IGNORECASE | re.DOTALL)
_STYLE = re.compile(r"<style\b[^>]*>.*?</style\s*>", re.IGNORECASE | re.DOTALL)
_HEAD_ENDS = re.compile(r"</head\s*>", re.IGNORECASE)
_BODY_ENDS = re.compile(r"</body\s*>(?!.*</body\s*>)", re.IGNORECASE | re.DOTALL)


def joined_pages(pages: Sequence[str]) -> str:
    """Whole HTML pages as one; styles that a later one has and the first has not go along."""
    first, *others = pages
    styles = _STYLE.findall(first)
    added = [style for page in others for style in _STYLE.findall(page) if style not in styles]
    bodies = "\n".join(_body(page) for page in others)
    if added:
        styles_added = "\n".join(dict.fromkeys(added))
        first = _HEAD_ENDS.sub(lambda end: f"{styles_added}\n{end.group()}", first, count=1)
    if not _BODY_ENDS.search(first):
        return f"{first}\n{bodies}"
    return _BODY_ENDS.sub(lambda end: f"{bodies}\n{end.group()}", first, count=1)


def _body(page: str) -> str:
    """What is in it, in its own language and direction."""
    body = _BODY.search(page)
    inside = body.group(1) if body else page
    html = _HTML.search(page)
    spoken = " ".join(_SPOKEN.findall(html.group(1))) if html else ""
    return f"<div {spoken}>{inside}</div>" if spoken else inside
