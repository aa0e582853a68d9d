"""The files that messages are made of: whether one has changed, which ones an e-mail is made of, and whose they are."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, TemplateError
from jinja2.meta import find_referenced_templates

TEMPLATES = Path("templates", "email")
TRANSLATIONS = Path("translations")


@dataclass(frozen=True)
class ShownFile:
    """A file as a reader knows it: `name` is relative to its place, `is_ours` says that the server brings it along."""

    name: str
    is_ours: bool


def fingerprint(places: Sequence[Path]) -> str:
    """Another one whenever a file of words or look is changed, added or taken away."""
    digest = hashlib.sha256()
    for place in places:
        for path in _files(place):
            try:
                status = path.stat()
            except OSError:  # gone since, or a link to nothing
                continue
            digest.update(repr((str(path), status.st_size, status.st_mtime_ns)).encode())
    return digest.hexdigest()[:16]


def _files(place: Path) -> Iterator[Path]:
    """In a fixed order, without what editors and version control leave beside them."""
    for top in (TEMPLATES, TRANSLATIONS):
        for directory, below, names in os.walk(place / top):
            below[:] = sorted(name for name in below if not name.startswith("."))
            yield from (Path(directory, name) for name in sorted(names) if not name.startswith(".") and name[-1] != "~")


def template_files(places: Sequence[Path], template: Path) -> tuple[Path, ...]:
    """The template and all that it extends, includes and imports, as far as that can be read."""
    environment = Environment(autoescape=True)
    found: list[Path] = []
    pending = [template]
    while pending:
        path = pending.pop(0)
        if path in found or not path.is_file():
            continue
        found.append(path)
        try:
            parsed = environment.parse(path.read_text(encoding="utf-8"))
        except (TemplateError, OSError, UnicodeDecodeError):
            continue
        names = [name for name in find_referenced_templates(parsed) if name is not None]
        pending += [there for name in names if (there := _found(places, name)) is not None]
    return tuple(found)


def _found(places: Sequence[Path], name: str) -> Path | None:
    """Where the renderer would find a template of this name."""
    candidates = [place / TEMPLATES / name for place in places]
    if name.startswith("default/"):
        candidates.append(places[-1] / TEMPLATES / name.removeprefix("default/"))
    return next((path for path in candidates if path.is_file()), None)


def shown(places: Sequence[Path], file: Path | str) -> ShownFile:
    """`file` is absolute, or relative to no place in particular."""
    path = Path(file)
    for place in places:
        if path.is_relative_to(place):
            return ShownFile(str(path.relative_to(place)), is_ours=place == places[-1])
    return ShownFile(str(file), is_ours=False)
