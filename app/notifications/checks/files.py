"""The files of a country: are they where they are looked for, can they be read, and does anything use them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from app.notifications import look
from app.notifications.catalogue import Message
from app.notifications.checks.problems import Problem, error, warning

LOGOS = ("logo.png", "logo.jpg", "logo.gif")
_TOP = ("templates", "translations", "rules.py")
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".bmp")
_TABLES = (".csv", ".xlsx", ".xls", ".ods", ".numbers", ".tsv", ".txt")
_NAMED = re.compile(r"""(?:extends|import|include|from)\s+["']([^"']+)["']""")
_QUOTED = re.compile(r"""["']([\w.-]+)["']""")
_LANGUAGE = re.compile(r"\.([A-Za-z]{2,3}(?:[-_][A-Za-z0-9]+)*)$")


def problems(places: Sequence[Path], messages: Sequence[Message], languages: Collection[str]) -> Iterator[Problem]:
    """`languages` are those in which there is any text."""
    *countries, ours = places
    used = {name for message in messages for name in (message.name, *message.shared)}
    used |= {path.stem for path in (ours / "templates" / "email").glob("*.html")}
    for country in countries:
        templates, translations = country / "templates", country / "translations"
        for directory in (country, templates, templates / "email", translations):
            yield from _closed(directory)
        yield from _top_problems(country)
        yield from _misplaced(templates)
        yield from _unread_tables(translations)
        yield from _template_problems(templates / "email", used, languages)


def entries(directory: Path) -> list[Path]:
    """What is in it, sorted; nothing where it is not there or cannot be read, which `problems` tells."""
    try:
        return sorted(directory.iterdir())
    except OSError:
        return []


def quoted(places: Iterable[Path]) -> set[str]:
    """All that stands between quotation marks in the templates of these places: ids of texts are among it."""
    found: set[str] = set()
    for place in places:
        for path in _listed(place / "templates" / "email"):
            if path.suffix == ".html":
                with suppress(OSError, UnicodeDecodeError):  # told by `problems`
                    found.update(_QUOTED.findall(path.read_text(encoding="utf-8")))
    return found


def _closed(directory: Path) -> Iterator[Problem]:
    """Not one that is not there: a country needs none of them."""
    if not os.path.isdir(directory):  # noqa: PTH112  never raises
        if os.path.lexists(directory):
            yield error(directory, None, "is no directory", "make it one")
    elif not os.access(directory, os.R_OK | os.X_OK):
        yield error(directory, None, "cannot be read", f"let the server read it: chmod -R a+rX {directory}")


def _listed(directory: Path) -> list[Path]:
    """Without what other programs leave behind."""
    return [path for path in entries(directory) if not path.name.startswith((".", "~"))]


def _top_problems(country: Path) -> Iterator[Problem]:
    names = [path.name for path in _listed(country)]
    if not set(names) & set(_TOP):
        yield warning(country, None, f"has none of {', '.join(_TOP)} in it", "is it the directory of a country?")
    for name in names:
        close = get_close_matches(name.lower(), _TOP, n=1, cutoff=0.8)
        path = country / name
        if close and name not in _TOP:
            yield warning(path, None, "nothing looks here", f"did you mean {close[0]}?")
        elif path.suffix.lower() in (*_TABLES, *_PICTURES, ".html", ".toml"):
            where = "translations" if path.suffix.lower() in _TABLES else "templates/email"
            yield warning(path, None, "nothing looks here", f"put it into {where}, if it is for messages")
        elif name == "email":
            yield warning(path, None, "nothing looks here", "put it into templates")


def _misplaced(templates: Path) -> Iterator[Problem]:
    """Templates, colours and logos that are one directory too high."""
    for path in _listed(templates):
        if path.suffix == ".html" or path.name in (look.FILE, *LOGOS):
            yield warning(path, None, "nothing looks here", "move it into templates/email")


def _unread_tables(translations: Path) -> Iterator[Problem]:
    for path in _listed(translations):
        if path.suffix != ".csv" and path.suffix.lower() in _TABLES:
            yield warning(path, None, "no text of it is used", "save it as CSV UTF-8, with a name that ends in .csv")


def _template_problems(directory: Path, used: set[str], languages: Collection[str]) -> Iterator[Problem]:
    """Templates that cannot be read, and files that no message uses: mostly a mistyped name."""
    paths = [path for path in _listed(directory) if os.path.isfile(path)]  # noqa: PTH113  never raises
    named: set[str] = set()
    for path in paths:
        if path.suffix == ".html":
            try:
                named |= {name.removesuffix(".html") for name in _NAMED.findall(path.read_text(encoding="utf-8"))}
            except UnicodeDecodeError as bad:
                line = bad.object.count(b"\n", 0, bad.start) + 1
                yield error(path, line, "is not UTF-8", "save it as UTF-8")
            except OSError as unreadable:
                yield error(path, None, f"cannot be read: {unreadable.strerror}", "let the server read it")
    for path in paths:
        yield from _unused(path, used | named, languages)


def _unused(path: Path, used: Collection[str], languages: Collection[str]) -> Iterator[Problem]:
    language = _LANGUAGE.search(path.stem)
    if path.suffix.lower() in _PICTURES:
        if path.name not in LOGOS:
            yield warning(path, None, "no message shows this picture", f"the logo is called {' or '.join(LOGOS)}")
    elif path.suffix != ".html":
        if path.name != look.FILE:
            yield _unknown(path, [look.FILE, *(f"{name}.html" for name in used)])
    elif language and _LANGUAGE.sub("", path.stem) in used:
        if language.group(1) not in languages:
            what = f"is for the language {language.group(1)}, in which there is no text"
            yield warning(path, None, what, f"there are {', '.join(languages)}")
    elif path.stem not in used:
        yield _unknown(path, [f"{name}.html" for name in used])


def _unknown(path: Path, known: Iterable[str]) -> Problem:
    close = get_close_matches(path.name, list(known), n=1)
    cure = f"did you mean {close[0]}?" if close else "is its name right? It is the name of a message"
    return warning(path, None, "no message uses this file", cure)
