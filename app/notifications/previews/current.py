"""All messages as their files say at this moment, and what is wrong with them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from app.notifications.checks import wording
from app.notifications.checks.messages import Rehearsed
from app.notifications.checks.problems import Problem, error
from app.notifications.checks.wording import Place, Wording
from app.notifications.previews import files
from app.notifications.previews.making import Broken, Maker, Outline, Preview, attempt
from app.notifications.render import Renderer
from app.notifications.translations import Translations


@dataclass(frozen=True)
class MessageFiles:
    """Where messages come from, and how they are made. `places` as for `check`: our own last.

    `languages` are those in which every message is sent. Problems that the files alone do not show are in `known`.
    """

    places: Sequence[Path]
    make_renderer: Callable[[Translations], Renderer]
    check: Callable[[], Sequence[Problem]]
    languages: Sequence[str]
    default_language: str
    known: Sequence[Problem] = ()


@dataclass(frozen=True)
class Line:
    """One message: what a list shows of it in each language, and what is wrong with it."""

    message: Rehearsed
    outlines: Sequence[Outline]
    problems: Sequence[Problem]


class Snapshot:
    """The messages as they were when their files had this fingerprint. Whatever is in the files, nothing raises."""

    def __init__(self, fingerprint: str, source: MessageFiles, messages: Mapping[str, Rehearsed]) -> None:
        self.fingerprint = fingerprint
        self.messages = messages
        self._source = source
        self._words, self._unreadable = _read(source)
        self._maker = Maker(source.places, self._words, source.make_renderer)
        self._lines: dict[str, Line] = {}
        self._lock = threading.Lock()

    @property
    def broken(self) -> Broken | None:
        """Why no message at all can be made."""
        return self._maker.broken

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Those in which there is any text, those in which every message is sent first."""
        there = self._words.translations.languages
        return tuple(dict.fromkeys([*(one for one in self._source.languages if one in there), *there]))

    @cached_property
    def together(self) -> tuple[str, ...]:
        """The languages that every message is sent in, where they are several."""
        required = tuple(one for one in self._source.languages if one in self.languages)
        return required if len(required) > 1 else ()

    @property
    def problems(self) -> Sequence[Problem]:
        """Of all messages, errors first."""
        with self._lock:
            return self._problems

    def line(self, name: str) -> Line:
        """The message of this name."""
        if name not in self._lines:
            self._lines[name] = self._line(self.messages[name])
        return self._lines[name]

    def preview(self, name: str, languages: Sequence[str], *, long: bool = False) -> Preview:
        return self._maker.preview(self.messages[name].sample, languages, long=long)

    def values(self, name: str, *, long: bool = False) -> dict[str, str]:
        """All that the words of a message may use, by the names of the variables."""
        return self._maker.values(self.messages[name].sample, long=long)

    @cached_property
    def _problems(self) -> Sequence[Problem]:
        found = attempt(self._source.check)
        if isinstance(found, Broken):
            cure = "it is mostly one file that is not what its name says, or not UTF-8"
            found = [error("templates", None, f"the check ended early: {found.why}", cure), *self._unreadable]
        return [*self._source.known, *found]

    def _line(self, message: Rehearsed) -> Line:
        """Its problems are those of the files and rows that it is made of."""
        outlines = [self._maker.outline(message.sample, language) for language in self.languages]
        missing = {broken.text_id for one in outlines for broken in one.broken if broken.text_id is not None}
        templates = {str(path) for one in outlines for path in one.templates}
        rows = {
            self._words.place(text_id, language)
            for text_id in {use.text_id for one in outlines for use in one.uses}
            for language in (None, *self.languages)
        }
        problems = [
            one
            for one in self.problems
            if one.file in templates
            or Place(Path(one.file), one.row or 0) in rows
            or any(text_id in one.what for text_id in missing)
        ]
        return Line(message, outlines, problems)


class Previews:
    """The messages as they are now; made anew only when a file has changed. Safe to share between threads."""

    def __init__(self, source: MessageFiles, messages: Sequence[Rehearsed]) -> None:
        self.places = source.places
        self._source = source
        self._messages = {one.sample.message.name: one for one in messages}
        self._lock = threading.Lock()
        self._last: Snapshot | None = None

    @property
    def fingerprint(self) -> str:
        """Of the files as they are now."""
        return files.fingerprint(self.places)

    def now(self) -> Snapshot:
        with self._lock:
            seen = self.fingerprint
            if self._last is None or self._last.fingerprint != seen:
                self._last = Snapshot(seen, self._source, self._messages)
            return self._last


def _read(source: MessageFiles) -> tuple[Wording, Sequence[Problem]]:
    return wording.read([place / files.TRANSLATIONS for place in source.places], source.default_language)
