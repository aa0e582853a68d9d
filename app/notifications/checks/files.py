"""The files of a country: does anything use them, and can they be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

from app.notifications import look
from app.notifications.catalogue import Message
from app.notifications.checks.problems import Problem, warning

_NAMED = re.compile(r"""(?:extends|import|include|from)\s+["']([^"']+)["']""")
_LANGUAGE = re.compile(r"\.[a-z]{2,3}(?:[-_][A-Za-z0-9]+)?$")
_LOGOS = ("logo.png", "logo.jpg", "logo.gif")


def problems(places: Sequence[Path], messages: Sequence[Message]) -> Iterator[Problem]:
    """Files of a country's `templates/email/` that no message uses: mostly a mistyped name."""
    *countries, ours = (place / "templates" / "email" for place in places)
    used = {name for message in messages for name in (message.name, *message.shared)}
    used |= {path.stem for path in ours.glob("*.html")}
    for directory in countries:
        templates = sorted(directory.glob("*.html"))
        named = {name.removesuffix(".html") for path in templates for name in _named_by(path)}
        for path in sorted(directory.iterdir()) if directory.is_dir() else ():
            if path.is_file() and not path.name.startswith(".") and not _is_used(path, used | named):
                close = get_close_matches(path.stem, used, n=1)
                cure = f"did you mean {close[0]}.html?" if close else "is its name right? See docs/customising.md"
                yield warning(path, None, "no message uses this file", cure)


def _is_used(path: Path, used: Iterable[str]) -> bool:
    if path.suffix != ".html":
        return path.name == look.FILE or path.name in _LOGOS
    return path.stem in used or _LANGUAGE.sub("", path.stem) in used


def _named_by(path: Path) -> list[str]:
    try:
        return _NAMED.findall(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return []
