"""The rows of `translations/*.csv`: are they readable, complete, and do their placeholders make sense."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from app.notifications.checks.markup import markup_problems
from app.notifications.checks.problems import Problem, error, warning
from app.notifications.translations import BadTranslationFile, Texts, Translations, rows_of

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_BRACES = re.compile(r"[{}\uff5b\uff5d]")


@dataclass(frozen=True)
class Place:
    """Where a text stands. `row` counts as in a spreadsheet."""

    file: Path
    row: int


@dataclass(frozen=True)
class Wording:
    """All texts of several directories, and where each stands, by its id and language."""

    translations: Translations
    places: Mapping[tuple[str, str], Place]
    rows: Mapping[str, Place]

    def place(self, text_id: str, language: str | None = None) -> Place:
        """Where to look for a text; where it belongs, if it is not there."""
        there = self.places.get((text_id, language)) if language else None
        return there or self.rows.get(text_id) or Place(Path("translations/email.csv"), 0)


def read(directories: Sequence[Path], default_language: str) -> tuple[Wording, list[Problem]]:
    """As `translations.load` does it, but what cannot be read is a problem, and the rest is read on."""
    texts: Texts = {}
    places: dict[tuple[str, str], Place] = {}
    rows: dict[str, Place] = {}
    problems: list[Problem] = []
    for directory in reversed(directories):
        for path in sorted(directory.glob("*.csv")):
            try:
                for row in rows_of(path):
                    rows[row.text_id] = Place(path, row.number)
                    texts.setdefault(row.text_id, {}).update(row.texts)
                    places |= {(row.text_id, language): Place(path, row.number) for language in row.texts}
            except BadTranslationFile as bad:
                problems.append(error(path, bad.row, bad.problem, "mend this row; rows below it were not read"))
            except OSError as unreadable:
                problems.append(error(path, None, f"cannot be read: {unreadable.strerror}", "see its permissions"))
    return Wording(Translations(texts, default_language), places, rows), problems


def missing_rows(wording: Wording, needed: Iterable[str], required: Sequence[str]) -> Iterator[Problem]:
    """Texts that a required language lacks."""
    for text_id in needed:
        texts = wording.translations.texts.get(text_id, {})
        for language in required:
            if language not in texts:
                place = wording.place(text_id)
                yield error(place.file, place.row, f"{text_id} has no text in {language}", f"fill its {language} cell")


def cell_problems(wording: Wording, plain: frozenset[str], variables: frozenset[str]) -> Iterator[Problem]:
    """What can be seen in a cell alone. `plain` are the ids of texts that are no HTML."""
    for (text_id, language), place in wording.places.items():
        text = wording.translations.texts[text_id][language]
        where = f"{text_id} in {language}"
        if _BRACES.search(_PLACEHOLDER.sub("", text)):
            yield error(place.file, place.row, f"{where}: a broken placeholder", "write it as {{name}}, nothing else")
        for name in sorted(set(_PLACEHOLDER.findall(text)) - variables):
            yield error(place.file, place.row, f"{where}: no message has {{{{{name}}}}}", _instead(name, variables))
        if text_id not in plain:
            for problem in markup_problems(text):
                yield error(place.file, place.row, f"{where}: {problem.what}", "mend the HTML of this text")


def unused_rows(wording: Wording, known: frozenset[str], ours: Path) -> Iterator[Problem]:
    """Rows of a country that no message uses: mostly a mistyped id."""
    for text_id, place in wording.rows.items():
        if text_id not in known and not place.file.is_relative_to(ours):
            yield warning(place.file, place.row, f"no message uses the text {text_id}", _instead(text_id, known))


def _instead(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]}?" if close else "see the descriptions in translations/ for what there is"
