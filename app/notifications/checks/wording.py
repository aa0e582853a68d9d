"""All texts of `translations/*.csv`, where each stands, and what cannot be read of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.notifications.checks.files import entries
from app.notifications.checks.problems import Problem, error, warning
from app.notifications.translations import BadTranslationFile, Row, Texts, Translations, is_wording, rows_of

_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_QUOTES = 'texts with a comma or a line end in them stand between two ", and a " inside of them is written twice'


@dataclass(frozen=True)
class Place:
    """Where a text stands. `row` counts as in a spreadsheet; 0 where there is none."""

    file: Path
    row: int


@dataclass(frozen=True)
class Wording:
    """All texts of several directories, and where each stands, by its id and language. A new one belongs to `home`."""

    translations: Translations
    places: Mapping[tuple[str, str], Place]
    rows: Mapping[str, Place]
    home: Path

    def place(self, text_id: str, language: str | None = None) -> Place:
        """Where to look for a text; where it belongs, if it is not there."""
        there = self.places.get((text_id, language)) if language else None
        return there or self.rows.get(text_id) or Place(self.home, 0)


def read(directories: Sequence[Path], default_language: str) -> tuple[Wording, list[Problem]]:
    """As `translations.load` does it, but what cannot be read is a problem, and the rest is read on."""
    texts: Texts = {}
    places: dict[tuple[str, str], Place] = {}
    rows: dict[str, Place] = {}
    problems: list[Problem] = []
    for directory in reversed(directories):
        for path in (one for one in entries(directory) if is_wording(one.name)):
            read_of_it = list(_rows(path))
            problems += [one for one in read_of_it if isinstance(one, Problem)]
            found = [one for one in read_of_it if isinstance(one, Row)]
            problems += _said_elsewhere(path, found, places)
            problems += _odd_columns(path, found)
            for row in found:
                rows[row.text_id] = Place(path, row.number)
                texts.setdefault(row.text_id, {}).update(row.texts)
                places |= {(row.text_id, language): Place(path, row.number) for language in row.texts}
    return Wording(Translations(texts, default_language), places, rows, directories[0]), problems


def _rows(path: Path) -> Iterator[Row | Problem]:
    """A problem is the last one."""
    try:
        yield from rows_of(path)
    except BadTranslationFile as bad:
        yield _unreadable(bad)
    except OSError as closed:
        yield error(path, None, f"cannot be read: {closed.strerror}", "let the server read it")


def _unreadable(bad: BadTranslationFile) -> Problem:
    """In words for those who have a spreadsheet before them."""
    if "UTF-8" in bad.problem:
        what, cure = "this row is not UTF-8", "save the file again as CSV UTF-8; nothing of it was read"
    elif bad.row == 1:
        what, cure = (
            bad.problem.removesuffix("."),
            "mend the first row: id,description,en,fr and so on; nothing of the file was read",
        )
    elif "unexpected end" in bad.problem or "delimiter" in bad.problem or "expected after" in bad.problem:
        what, cure = 'a quotation mark (") is missing, or one too many', f"{_QUOTES}; rows from here on were not read"
    else:
        what, cure = bad.problem.removesuffix("."), "mend this row; rows from here on were not read"
    return error(bad.path, bad.row, what, cure)


def _said_elsewhere(path: Path, found: Iterable[Row], places: Mapping[tuple[str, str], Place]) -> Iterator[Problem]:
    """Texts that another file of the same directory has too: mostly a copy of it that was forgotten."""
    seen: dict[Path, list[Row]] = {}
    for row in found:
        others = {place.file for language in row.texts if (place := places.get((row.text_id, language)))}
        for other in others:
            if other.parent == path.parent:
                seen.setdefault(other, []).append(row)
    for other, twice in seen.items():
        what = f"{twice[0].text_id} is in {other.name} too, and this one counts"
        more = f" (so it is with {len(twice)} rows)" if len(twice) > 1 else ""
        yield warning(path, twice[0].number, what + more, "keep each text in one file only")


def _odd_columns(path: Path, found: Iterable[Row]) -> Iterator[Problem]:
    for name in dict.fromkeys(language for row in found for language in row.texts):
        if not _LANGUAGE.fullmatch(name):
            short = name.lower()
            cure = f"call it {short}" if _LANGUAGE.fullmatch(short) else "call it by its code, such as en, fr or ar"
            what = f"the column {name!r} is taken for a language of that name"
            yield warning(path, 1, what, f"{cure}; notes go into the column description")
