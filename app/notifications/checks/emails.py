"""E-mails as people would get them, made with sample values: can they be read, by day and by night."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from app.notifications.checks.colours import too_close
from app.notifications.checks.contrast import TooFaint, too_faint
from app.notifications.checks.markup import markup_problems
from app.notifications.checks.problems import Problem, flaw, warning
from app.notifications.checks.wording import Wording
from app.notifications.look import Look
from app.notifications.noting import Use
from app.notifications.render import Page, Renderer
from app.notifications.sample import Sample

_LONGEST_SUBJECT = 78  # characters; more is cut off in lists
# The rules inside are one level deep.
_MEDIA = re.compile(r"@media([^{}@]*+)\{((?:[^{}]*+\{[^{}]*+\})*+)[^{}]*+\}")
_DARK_SCHEME = re.compile(r"prefers-color-scheme\s*:\s*dark")
_LIGHT, _DARK = "", " in dark mode"

_problems_of_text = lru_cache(4_096)(markup_problems)


class FaintTexts:
    """Texts that are hard to read in any e-mail: of each pair of colours one, since most come from the layout."""

    def __init__(self, look: Look) -> None:
        self._found: dict[tuple[str, str, str], tuple[str, TooFaint]] = {}
        self._files: dict[tuple[str, str, str], set[str]] = {}
        self._of_the_look = {
            (scheme, palette[written].lower(), palette[behind].lower())
            for scheme, palette in ((_LIGHT, look.light), (_DARK, look.dark))
            for written, behind in too_close(palette)
        }

    def look_at(self, by_day: str, by_night: str, file: str) -> None:
        """The HTML of an e-mail, with its styles in its elements."""
        for scheme, html in ((_LIGHT, by_day), (_DARK, by_night)):
            for faint in too_faint(html):
                pair = (scheme, faint.colour, faint.behind)
                self._found.setdefault(pair, (file, faint))
                self._files.setdefault(pair, set()).add(file)

    def problems(self) -> Iterator[Problem]:
        """Save pairs of the look, which are told with their names."""
        for pair, (file, faint) in self._found.items():
            if pair not in self._of_the_look:
                more = f" (and in {len(self._files[pair]) - 1} more)" if len(self._files[pair]) > 1 else ""
                what = (
                    f"“{faint.text}” is hard to read{pair[0]}: {faint.colour} on {faint.behind} has a contrast of "
                    f"{faint.ratio:.1f}, where {faint.enough:g} is enough{more}"
                )
                yield flaw(
                    file,
                    None,
                    what,
                    "change one of the two, or use a class of the layout, such as note: it suits both modes",
                )


def as_by_night(page: Page) -> str:
    """Its HTML, with the rules for dark mode in force."""
    return _MEDIA.sub(lambda rule: rule[2] if _DARK_SCHEME.search(rule[1]) else rule[0], page.html)


def is_spoilt(uses: Collection[Use], words: Wording) -> bool:
    """Whether a text in it is broken HTML, which is told of the text."""
    texts = words.translations.texts
    return any(_problems_of_text(texts[use.text_id][use.found_in]) for use in uses)


def page_problems(page: Page, file: str) -> Iterator[Problem]:
    """What is wrong with its HTML."""
    for problem in markup_problems(page.html):
        yield flaw(file, None, f"in the e-mail that it makes, {problem.what}", "mend it here, or in what it extends")


def subject_problems(renderer: Renderer, words: Wording, sample: Sample, language: str) -> Iterator[Problem]:
    """Raises MessageError."""
    text_id = f"{sample.message.name}.subject"
    subject = renderer.subject(sample.message.name, sample.long_variables, language)
    if len(subject) > _LONGEST_SUBJECT:
        place = words.place(text_id, language)
        what = f"{text_id} in {language} may have {len(subject)} characters, as in “{subject}”"
        yield warning(place.file, place.row, what, f"lists cut off what is beyond {_LONGEST_SUBJECT}")
