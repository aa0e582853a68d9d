"""The wording of messages: CSV files, one row a text, one column a language.

    id,description,en,fr
    2fa.title,"Heading of the e-mail with a sign-in code",Your sign-in code,Votre code de connexion

A text may hold `{{name}}`, where the variable of that name goes; `{{{name}}}`, which existing countries write where
nothing must be escaped, is the same. In texts of e-mails HTML is HTML.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from markupsafe import Markup
from markupsafe import escape as html_escaped

from app.notifications.errors import MessageError

FALLBACK = "en"
_NOT_LANGUAGES = frozenset({"id", "description", ""})
# One that is never closed runs to the end, so that it is an unknown variable and not a message with braces in it.
_PLACEHOLDER = re.compile(r"\{\{\{([^{}]*+)\}\}\}|\{\{(.*?)(?:\}\}|\Z)", re.DOTALL)

Texts = dict[str, dict[str, str]]


class WordingError(MessageError):
    """A text is missing or cannot be used; the message says where to look."""


class BadTranslationFile(WordingError):
    """A CSV file that cannot be read. Rows count as in a spreadsheet: the header is row 1."""

    def __init__(self, path: Path, row: int, problem: str) -> None:
        self.path = path
        self.row = row
        self.problem = problem
        super().__init__(f"{path}, row {row}: {problem}")


class UnknownText(WordingError):
    """No text has this id, or none in a language that would do."""

    def __init__(self, text_id: str, languages: Sequence[str]) -> None:
        self.text_id = text_id
        wanted = " or ".join(dict.fromkeys(languages))
        super().__init__(f"translations: no text {text_id!r} in {wanted}. Add the row or fill the cell")


class UnknownVariable(WordingError):
    """A text asks for a variable that its message does not have."""

    def __init__(self, variable: str, text_id: str | None = None, language: str | None = None) -> None:
        self.variable = variable
        self.text_id = text_id
        self.language = language
        where = f"the text {text_id!r} in {language!r}" if text_id else "a text"
        super().__init__(f"translations: {where} uses {{{{{variable}}}}}, which this message does not have")


@dataclass(frozen=True)
class Row:
    """One row of a file, `number` as in a spreadsheet; the texts that are there, by their languages."""

    number: int
    text_id: str
    texts: Mapping[str, str]


@dataclass(frozen=True)
class Translations:
    """All texts, by id and language. Where a language lacks a text, the default language has it, or English.

    For `fr-CD`, `fr` has it first.
    """

    texts: Mapping[str, Mapping[str, str]]
    default_language: str = FALLBACK

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages in which there is any text, sorted."""
        return tuple(sorted({language for texts in self.texts.values() for language in texts}))

    def text(self, text_id: str, language: str) -> str:
        """The text as it was written, placeholders and all. Raises UnknownText."""
        return self._found(text_id, language)[1]

    def language_of(self, text_id: str, language: str) -> str:
        """The language in which the text will be found. Raises UnknownText."""
        return self._found(text_id, language)[0]

    def filled(self, text_id: str, language: str, variables: Mapping[str, str], *, escape: bool) -> str:
        """The text with its variables in place, as `substitute` does it. Raises UnknownText and UnknownVariable."""
        found_in, text = self._found(text_id, language)
        try:
            return substitute(text, variables, escape=escape)
        except UnknownVariable as error:
            raise UnknownVariable(error.variable, text_id, found_in) from None

    def _found(self, text_id: str, language: str) -> tuple[str, str]:
        texts = self.texts.get(text_id, {})
        order = (language, base_of(language), self.default_language, FALLBACK)
        for candidate in order:
            if candidate in texts:
                return candidate, texts[candidate]
        raise UnknownText(text_id, order)


def base_of(language: str) -> str:
    """`fr` of `fr-CD`."""
    return re.split("[-_]", language)[0]


def substitute(text: str, variables: Mapping[str, str], *, escape: bool) -> str:
    """Put the variables where `{{name}}`, `{{ name }}` or `{{{name}}}` stands, in one pass: their values are not read.

    With `escape`, the text is taken as HTML and the values as plain text, and the result is Markup. Raises
    UnknownVariable.
    """

    def value(match: re.Match[str]) -> str:
        name = (match.group(1) or match.group(2) or "").strip()
        if name not in variables:
            raise UnknownVariable(name)
        return str(html_escaped(variables[name])) if escape else variables[name]

    filled = _PLACEHOLDER.sub(value, text)
    return Markup(filled) if escape else filled  # noqa: S704  the wording is ours or the country's, the values are escaped


def is_wording(name: str) -> bool:
    """Whether a file of this name holds texts: none that an editor or a file manager leaves beside them does."""
    return name.endswith(".csv") and not name.startswith((".", "~"))


def load(directories: Sequence[Path], default_language: str = FALLBACK) -> Translations:
    """The `*.csv` of several directories laid over each other, cell by cell: the first that has a text wins.

    An empty cell counts as no text, and a directory that is not there as an empty one. Raises BadTranslationFile.
    """
    merged: Texts = {}
    for directory in reversed(directories):
        for path in sorted(path for path in directory.glob("*.csv") if is_wording(path.name)):
            try:
                for row in rows_of(path):
                    merged.setdefault(row.text_id, {}).update(row.texts)
            except OSError as closed:
                problem = f"cannot be read: {closed.strerror}. Let the server read it."
                raise BadTranslationFile(path, 1, problem) from None
    return Translations(merged, default_language)


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of one file that have an id. Raises BadTranslationFile when it comes to what cannot be read."""
    rows = _rows(path)
    header = [cell.strip() for cell in next(rows, (1, []))[1]]
    _check_header(path, header)
    seen: set[str] = set()
    for number, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if any(cell.strip() for cell in row[len(header) :]):
            raise BadTranslationFile(path, number, "more cells than columns. A text with a comma in it needs quotes.")
        cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
        text_id = cells.get("id")
        if not text_id:
            raise BadTranslationFile(path, number, "the cell under `id` is empty")
        if text_id in seen:
            raise BadTranslationFile(path, number, f"the id {text_id!r} is there twice")
        seen.add(text_id)
        yield Row(number, text_id, {name: cell for name, cell in cells.items() if cell and name not in _NOT_LANGUAGES})


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    octets = path.read_bytes()
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        broken = octets.count(b"\n", 0, error.start) + 1
        raise BadTranslationFile(path, broken, "not UTF-8. Save it as CSV UTF-8.") from None
    first, _, rest = text.partition("\n")
    read = 0
    if first.lower().startswith("sep="):  # what some spreadsheet programs put before the table
        text, read = rest, 1
    try:
        for row in csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=_delimiter(text)):
            read += 1
            yield read, row
    except csv.Error as error:
        raise BadTranslationFile(path, read + 1, str(error)) from None


def _delimiter(text: str) -> str:
    """What stands between the columns: spreadsheet programs write semicolons where a comma is for decimals."""
    header = text.partition("\n")[0]
    for delimiter in (",", ";", "\t"):
        if "id" in (cell.strip().strip('"') for cell in header.split(delimiter)):
            return delimiter
    return ","


def _check_header(path: Path, header: Sequence[str]) -> None:
    named = [name for name in header if name]
    if "id" not in header:
        raise BadTranslationFile(path, 1, "no column is called `id`.")
    if len(set(named)) < len(named):
        raise BadTranslationFile(path, 1, "two columns have the same name")
    if not set(named) - _NOT_LANGUAGES:
        raise BadTranslationFile(path, 1, "no column is a language, such as `en`")
