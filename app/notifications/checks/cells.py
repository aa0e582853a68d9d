"""The cells of `translations/*.csv`: is each there that must be, and does what is written in it make sense."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from app.notifications.checks.markup import markup_problems
from app.notifications.checks.problems import Problem, error, warning
from app.notifications.checks.wording import Place, Wording

_PLACEHOLDER = re.compile(r"\{\{(\{)?\s*(?P<name>[^{}\s]+)\s*(?(1)\}\}\}|\}\})")
_BROKEN = re.compile(r"[{\uff5b][^}\uff5d]{0,25}[}\uff5d ]*|\S{0,20}\s?[}\uff5d]+")  # opened; closed and never opened
_WORD = re.compile(r"[^\W\d]\w*")
_OF_A_SPREADSHEET = re.compile(r"#(?:NAME\?|REF!|VALUE!|DIV/0!|N/A|NULL!|NUM!)")
# UTF-8 that was read as Windows-1252 and saved again, and what stands for a character that was lost.
_GARBLED = re.compile("[ÃÂØÙ][\u0080-\u00bf]|â€|\ufffd")


_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|&(?:[a-z]+|#[0-9]+);")
_SCRIPT = re.compile(r"<script|javascript:|\bon[a-z]+\s*=", re.IGNORECASE)


@dataclass(frozen=True)
class Variables:
    """Those that messages have. `alike` leads from a name to the first of all names of the same thing.

    In place of the `replaceable` ones a country may write what they stand for. The `essential` ones, by the ids of the
    texts that must say them, are looked for in what comes out.
    """

    names: Collection[str]
    alike: Mapping[str, str]
    replaceable: Collection[str]
    essential: Mapping[str, Collection[str]]

    def of(self, text: str) -> dict[str, str]:
        """The names in a text, by what they stand for."""
        names = [found["name"] for found in _PLACEHOLDER.finditer(text)]
        return {self.alike.get(name, name): name for name in names}

    def may_lack(self, text_id: str, name: str) -> bool:
        """Whether nothing is to be said where this text lacks what another language's has."""
        essential = {self.alike.get(one, one) for one in self.essential.get(text_id, ())}
        return name not in self.names or name in self.replaceable or self.alike[name] in essential


@dataclass(frozen=True)
class _Cell:
    text_id: str
    language: str
    text: str
    place: Place

    def error(self, what: str, cure: str) -> Problem:
        return error(self.place.file, self.place.row, f"{self.text_id} in {self.language}{what}", cure)

    def warning(self, what: str, cure: str) -> Problem:
        return warning(self.place.file, self.place.row, f"{self.text_id} in {self.language}{what}", cure)


def missing_texts(wording: Wording, needed: Iterable[str], required: Sequence[str]) -> Iterator[Problem]:
    """Texts that a required language lacks."""
    for text_id in needed:
        texts = wording.translations.texts.get(text_id, {})
        for language in required:
            if language not in texts:
                place = wording.place(text_id)
                is_theirs = place.file.is_relative_to(wording.home)
                where = "the cell" if is_theirs else f"a row {text_id} of your own translations"
                cure = f"write it into {where}, in the column {language}"
                yield error(place.file, place.row, f"{text_id} has no text in {language}", cure)


def unused_texts(wording: Wording, known: Collection[str], ours: Path) -> Iterator[Problem]:
    """Rows of a country that no message uses: mostly a mistyped id."""
    for text_id, place in wording.rows.items():
        if text_id not in known and not place.file.is_relative_to(ours):
            cure = close_to(text_id, known) or "is its id right? The ids are in the shipped translations"
            yield warning(place.file, place.row, f"no message uses the text {text_id}", cure)


def cell_problems(
    wording: Wording, text_ids: Collection[str], plain: Collection[str], variables: Variables
) -> Iterator[Problem]:
    """What can be seen in the cells of these texts. `plain` are the ids of those that are no HTML."""
    for (text_id, language), place in wording.places.items():
        if text_id in text_ids:
            cell = _Cell(text_id, language, wording.translations.texts[text_id][language], place)
            others = {one: text for one, text in wording.translations.texts[text_id].items() if one != language}
            yield from _placeholders(cell, others, variables)
            yield from _letters(cell)
            if text_id in plain:
                yield from _markup(cell)
            else:
                yield from _scripts(cell)
                for problem in markup_problems(cell.text):
                    yield replace(cell.error(f": {problem.what}", "mend the HTML of this text"), goes_out=True)


def close_to(name: str, known: Iterable[str]) -> str | None:
    """A question that says what was meant, where something is much like it."""
    close = get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]}?" if close else None


def _placeholders(cell: _Cell, others: Mapping[str, str], variables: Variables) -> Iterator[Problem]:
    said = variables.of(cell.text)
    of_others = [variables.of(text) for text in others.values()]
    unknown = sorted(set(said.values()) - set(variables.names))
    broken = _BROKEN.search(_PLACEHOLDER.sub(" ", cell.text))
    if broken:
        word = _WORD.search(broken.group())
        meant = get_close_matches(word.group(), variables.names, n=1) if word else []
        cure = f"write {{{{{meant[0] if meant else 'name'}}}}}: two braces, the name of a variable, two braces"
        yield cell.error(f": “{broken.group().strip()}” is no placeholder", cure)
    for name in unknown:
        in_others = sorted({one for each in of_others for one in each.values()} & set(variables.names))
        there = ", ".join(f"{{{{{one}}}}}" for one in in_others)
        hint = close_to(name, in_others) or close_to(name, variables.names)
        cure = hint or (
            f"names are not translated; the other languages have {there}" if there else "see its description"
        )
        yield cell.error(f": there is no variable {{{{{name}}}}}", cure)
    if of_others and not unknown and not broken:
        lost = set.intersection(*map(set, of_others)) - set(said)
        for name in sorted(of_others[0][one] for one in lost):
            if not variables.may_lack(cell.text_id, name):
                what = f" does not say {{{{{name}}}}}, which {', '.join(others)} say{'' if len(others) > 1 else 's'}"
                yield cell.warning(what, "is it left out on purpose?")


def _markup(cell: _Cell) -> Iterator[Problem]:
    if found := _MARKUP.search(cell.text):
        yield cell.warning(f" has {found.group()} in it, which is shown as it stands", "write it as plain text")


def _scripts(cell: _Cell) -> Iterator[Problem]:
    if found := _SCRIPT.search(cell.text):
        yield cell.error(f" has {found.group()} in it", "take it out: programs for mail refuse such messages")


def _letters(cell: _Cell) -> Iterator[Problem]:
    if found := _OF_A_SPREADSHEET.search(cell.text):
        cure = "the spreadsheet took the text for a formula: write it again, with ' before its first character"
        yield cell.error(f" is {found.group()}", cure)
    if found := _GARBLED.search(cell.text):
        cure = "the file was once opened as something else than UTF-8: write the text again"
        yield cell.warning(f" has garbled letters: “{cell.text[max(0, found.start() - 10) : found.end() + 10]}”", cure)
