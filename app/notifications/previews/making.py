"""Messages made with sample values, one at a time: as their readers get them, or why they cannot be made."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from app.notifications.checks.wording import Place, Wording
from app.notifications.errors import MessageError
from app.notifications.noting import NotingTranslations, Use
from app.notifications.previews import files
from app.notifications.render import RenderedEmail, Renderer
from app.notifications.sample import Sample
from app.notifications.sms.segments import Segments, odd_characters, segments
from app.notifications.translations import Translations, UnknownText, UnknownVariable

T = TypeVar("T")


@dataclass(frozen=True)
class Broken:
    """What cannot be made, and why. `text_id` is that of a text which is missing or asks for what there is not."""

    why: str
    text_id: str | None = None


@dataclass(frozen=True)
class Sms:
    """`odd` are the characters that make it cost more."""

    text: str
    counted: Segments
    odd: tuple[str, ...]


@dataclass(frozen=True)
class UsedText:
    """A text of a message as it was written, and where it stands."""

    use: Use
    text: str
    place: Place


@dataclass(frozen=True)
class Preview:
    """`sms` is None where the message has none; `sms_at_most` is the same with values that are long."""

    email: RenderedEmail | Broken
    sms: Sms | Broken | None
    sms_at_most: Sms | Broken | None
    texts: tuple[UsedText, ...]
    templates: tuple[Path, ...]


@dataclass(frozen=True)
class Outline:
    """What a list shows of a message in one language. The first of `templates` is its own, which may not be there."""

    language: str
    subject: str | Broken
    sms: Sms | Broken | None
    uses: tuple[Use, ...]
    templates: tuple[Path, ...]

    @property
    def stand_ins(self) -> list[Use]:
        """The texts that are another language's."""
        return [use for use in self.uses if use.is_stand_in]

    @property
    def broken(self) -> list[Broken]:
        """What of it cannot be made."""
        return [part for part in (self.subject, self.sms) if isinstance(part, Broken)]


def attempt(make: Callable[[], T]) -> T | Broken:
    """What is made, or why not."""
    try:
        return make()
    except (UnknownText, UnknownVariable) as broken:
        return Broken(str(broken), broken.text_id)
    except MessageError as broken:
        return Broken(str(broken))
    except Exception as error:  # noqa: BLE001  a country's files may hold anything, and the rest is to be seen
        return Broken(f"{type(error).__name__}: {error}")


class Maker:
    """Makes messages of these places' words and look, from any number of threads."""

    def __init__(
        self, places: Sequence[Path], words: Wording, make_renderer: Callable[[Translations], Renderer]
    ) -> None:
        self._places = places
        self._words = words
        self._noting = NotingTranslations(words.translations.texts, words.translations.default_language)
        self._renderer = attempt(lambda: make_renderer(self._noting))
        self._lock = threading.Lock()
        self._templates: dict[Path, tuple[Path, ...]] = {}

    @property
    def broken(self) -> Broken | None:
        """Why no message at all can be made."""
        return self._renderer if isinstance(self._renderer, Broken) else None

    def values(self, sample: Sample, *, long: bool) -> dict[str, str]:
        """All that a message's words may use."""
        always = self._with_renderer(lambda renderer: renderer.always)
        return {
            **({} if isinstance(always, Broken) else always),
            **(sample.long_variables if long else sample.variables),
        }

    def outline(self, sample: Sample, language: str) -> Outline:
        name = sample.message.name
        with self._lock:
            self._noting.uses.clear()
            page = self._with_renderer(lambda renderer: renderer.page(name, sample.variables, language))
            return Outline(
                language,
                page if isinstance(page, Broken) else page.subject,
                self._sms(sample, [language], long=False),
                tuple(self._noting.uses),
                self._templates_of(name, language),
            )

    def preview(self, sample: Sample, languages: Sequence[str], *, long: bool) -> Preview:
        """In several languages, all are said in one message."""
        name = sample.message.name
        variables = sample.long_variables if long else sample.variables
        with self._lock:
            self._noting.uses.clear()
            email = self._with_renderer(lambda renderer: renderer.email(name, variables, *languages))
            sms = self._sms(sample, languages, long=long)
            templates = [path for language in languages for path in self._templates_of(name, language)]
            return Preview(
                email,
                sms,
                self._sms(sample, languages, long=True),
                tuple(self._used(use) for use in self._noting.uses),
                tuple(dict.fromkeys(path for path in templates if path.is_file())),
            )

    def _with_renderer(self, make: Callable[[Renderer], T]) -> T | Broken:
        renderer = self._renderer
        return renderer if isinstance(renderer, Broken) else attempt(lambda: make(renderer))

    def _sms(self, sample: Sample, languages: Sequence[str], *, long: bool) -> Sms | Broken | None:
        text_id = sample.message.sms_id
        if text_id is None:
            return None
        variables = sample.long_variables if long else sample.variables
        text = self._with_renderer(lambda renderer: renderer.sms(text_id, variables, *languages))
        return text if isinstance(text, Broken) else Sms(text, segments(text), tuple(odd_characters(text)))

    def _used(self, use: Use) -> UsedText:
        texts = self._words.translations
        return UsedText(use, texts.text(use.text_id, use.found_in), self._words.place(use.text_id, use.found_in))

    def _templates_of(self, name: str, language: str) -> tuple[Path, ...]:
        found = self._with_renderer(lambda renderer: renderer.file_of(name, language))
        path = Path(f"{name}.html" if isinstance(found, Broken) else found)
        if path not in self._templates:
            self._templates[path] = files.template_files(self._places, path) or (path,)
        return self._templates[path]
