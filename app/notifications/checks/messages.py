"""Every message in every language: is it complete, can it be made, can it be read, and what does it cost."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from app.notifications import look
from app.notifications.checks import cells, colours, files, wording
from app.notifications.checks.cells import Variables, close_to
from app.notifications.checks.emails import FaintTexts
from app.notifications.checks.making import Making
from app.notifications.checks.prices import price_together
from app.notifications.checks.problems import Problem, error, told_once
from app.notifications.checks.wording import Wording
from app.notifications.faults import UnusableFile
from app.notifications.noting import NotingTranslations
from app.notifications.render import ALWAYS, Renderer
from app.notifications.sample import Sample
from app.notifications.translations import Translations


@dataclass(frozen=True)
class Rehearsed:
    """A message with the channels by which it may go."""

    sample: Sample
    channels: Collection[str]


def check(
    places: Sequence[Path],
    rehearsed: Sequence[Rehearsed],
    make_renderer: Callable[[Translations], Renderer],
    required: Sequence[str],
    default_language: str,
) -> list[Problem]:
    """All that is wrong with the messages of these places: directories with `templates/` and `translations/` in them,
    our own last. Texts must be there in the `required` languages; others may have gaps. Errors first, then what is in
    a country's own files. Never raises.
    """
    words, problems = wording.read([place / "translations" for place in places], default_language)
    samples = [one.sample for one in rehearsed]
    languages = words.translations.languages
    variables = _variables(samples)
    problems += files.problems(places, [sample.message for sample in samples], languages)
    problems += _language_problems(words, required, default_language)
    directories = [place / "templates" / "email" for place in places]
    asked: set[str] = set()
    try:
        colours_of_all = look.load(directories)
        problems += colours.problems(colours_of_all, directories)
        noting = NotingTranslations(words.translations.texts, default_language)
        renderer = make_renderer(noting)
    except UnusableFile as broken:
        problems += [error(broken.path, fault.line, fault.what, fault.cure) for fault in broken.faults]
    else:
        faint = FaintTexts(colours_of_all)
        templates = {
            path.name for directory in directories for path in files.entries(directory) if path.suffix == ".html"
        }
        is_told = _is_told(words, required, places[-1])
        making = Making(renderer, words, noting, faint, variables.names, templates, is_told, required, places[-1])
        for one in rehearsed:
            for language in languages:
                problems += making.problems(one.sample, one.channels, language)
        problems += faint.problems()
        by_sms = [one.sample for one in rehearsed if "sms" in one.channels]
        problems += price_together(renderer, words, by_sms, [one for one in required if one in languages])
        asked = making.asked
    problems += _text_problems(words, asked, samples, required, places, variables)
    return sorted(told_once(problems), key=lambda one: (one.severity, Path(one.file).is_relative_to(places[-1])))


def _is_told(words: Wording, required: Sequence[str], ours: Path) -> Callable[[str, str], bool]:
    """What our words cost in a language that a country does not use is no concern of its."""

    def is_told(text_id: str, language: str) -> bool:
        return language in required or not words.place(text_id, language).file.is_relative_to(ours)

    return is_told


def _language_problems(words: Wording, required: Sequence[str], default_language: str) -> Iterator[Problem]:
    there = words.translations.languages
    wanted = dict.fromkeys(required, "NOTIFICATION_LANGUAGES") | {default_language: "DEFAULT_LANGUAGE"}
    for language, setting in wanted.items():
        if language not in there:
            cure = close_to(language, there) or f"there are {', '.join(there)}: add the column, or change the setting"
            yield error(words.home, None, f"{setting} has {language}, which is no column", cure)


def _text_problems(
    words: Wording,
    asked: Collection[str],
    samples: Sequence[Sample],
    required: Sequence[str],
    places: Sequence[Path],
    variables: Variables,
) -> Iterator[Problem]:
    *countries, ours = places
    shipped = wording.read([ours / "translations"], words.translations.default_language)[0].rows.keys()
    sms_ids = {sample.message.sms_id for sample in samples if sample.message.sms_id is not None}
    of_emails = {f"{sample.message.name}.{part}" for sample in samples for part in ("subject", "title", "intro")}
    used = {*shipped, *asked, *sms_ids, *of_emails, *files.quoted(countries)}
    there = [language for language in required if language in words.translations.languages]
    needed = [text_id for text_id in words.rows if text_id in shipped or text_id in asked]
    yield from cells.missing_texts(words, needed, there)
    yield from cells.unused_texts(words, used, ours)
    plain = sms_ids | {text_id for text_id in words.rows if text_id.endswith((".subject", ".unnamed"))}
    yield from cells.cell_problems(words, used, plain, variables)


def _variables(samples: Sequence[Sample]) -> Variables:
    """Names that say the same in a sample are taken for names of the same thing."""
    names = ALWAYS.union(*(sample.variables for sample in samples))
    alike = {name: name for name in names}
    for sample in samples:
        by_value = sorted((value, name) for name, value in sample.variables.items() if value)
        for _, same in groupby(by_value, key=lambda pair: pair[0]):
            merged = {alike[name] for _, name in same}
            if len(merged) > 1:
                alike = {name: min(merged) if first in merged else first for name, first in alike.items()}
    essential = {sample.message.sms_id: sample.message.essential for sample in samples if sample.message.sms_id}
    return Variables(names, alike, ALWAYS, essential)
