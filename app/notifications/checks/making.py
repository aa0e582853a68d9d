"""Makes messages with sample values, and looks at what comes out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from app.notifications.checks.branches import Templates, branch_problems, untranslated
from app.notifications.checks.emails import FaintTexts, as_by_night, is_spoilt, page_problems, subject_problems
from app.notifications.checks.failures import INNER, Attempt, failure
from app.notifications.checks.prices import price_problems
from app.notifications.checks.problems import Problem, error
from app.notifications.checks.wording import Wording
from app.notifications.errors import MessageError
from app.notifications.noting import NotingTranslations
from app.notifications.render import ALWAYS, Renderer
from app.notifications.sample import Sample
from app.notifications.translations import UnknownText

_CODES = INNER | {
    "decisions",
    "event",
    "eventType",
}  # variables by which it is decided what is said, and that nobody types


class Making:
    """`noting` is what the renderer was made with; `variables` and `templates` are the names of all that there are.

    `is_told` says of a text's id and a language whether what it costs and how long it is are of interest.
    All must be said in the `required` languages; what is below `ours` is our own.
    `asked` are the ids of the texts that the messages have asked for so far.
    """

    def __init__(
        self,
        renderer: Renderer,
        words: Wording,
        noting: NotingTranslations,
        faint: FaintTexts,
        variables: Collection[str],
        templates: Collection[str],
        is_told: Callable[[str, str], bool],
        required: Sequence[str],
        ours: Path,
    ) -> None:
        self.asked: set[str] = set()
        self._renderer = renderer
        self._words = words
        self._noting = noting
        self._faint = faint
        self._variables = variables
        self._templates = templates
        self._is_told = is_told
        self._required = required
        self._ours = ours
        self._told: set[tuple[str, int | None]] = set()
        self._parsed: set[tuple[str, str]] = set()
        self._trees = Templates(renderer.environment)
        self._is_endless = False

    def problems(self, sample: Sample, channels: Collection[str], language: str) -> Iterator[Problem]:
        if "email" in channels and not self._is_endless:
            yield from self._noted(self._email, sample, language)
        if "sms" in channels and sample.message.sms_id is not None:
            yield from self._noted(self._sms, sample, language)

    def _noted(
        self, look_at: Callable[[Sample, str], Iterator[Problem]], sample: Sample, language: str
    ) -> Iterator[Problem]:
        self._noting.uses.clear()
        try:
            yield from look_at(sample, language)
        except MessageError as broken:
            file = self._renderer.file_of(sample.message.name, language)
            yield from failure(broken, self._attempt(sample, file), self._words)
            # It takes a second each time, and comes from a template that most messages share.
            self._is_endless |= isinstance(broken.__cause__, RecursionError)
        self.asked.update(use.text_id for use in self._noting.uses)

    def _email(self, sample: Sample, language: str) -> Iterator[Problem]:
        message = sample.message.name
        file = self._renderer.file_of(message, language)
        yield from self._branches(sample, file)
        page = self._renderer.page(message, sample.variables, language)
        email = self._renderer.finished(message, [page])
        self._faint.look_at(email.html, self._renderer.inlined(message, as_by_night(page)), file)
        if not is_spoilt(self._noting.uses, self._words):
            yield from page_problems(page, file)
            yield from _lost(email.text, sample, file, None, f"{message} in {language}")
        yield from self._with_other_values(sample, language, file)
        if self._is_told(f"{message}.subject", language):
            yield from subject_problems(self._renderer, self._words, sample, language)

    def _branches(self, sample: Sample, file: str) -> Iterator[Problem]:
        message = sample.message.name
        if (message, file) not in self._parsed:
            self._parsed.add((message, file))
            parsed = self._trees.of(file)
            for problem in branch_problems(parsed, self._attempt(sample, file), self._words):
                if (problem.file, problem.row) not in self._told:  # in what messages share, of the first alone
                    self._told.add((problem.file, problem.row))
                    yield problem
            alike = [one for one in self._required if self._renderer.file_of(message, one) == file]
            if parsed and not Path(file).is_relative_to(self._ours):
                yield from untranslated(parsed, message, alike)

    def _with_other_values(self, sample: Sample, language: str, file: str) -> Iterator[Problem]:
        """With nothing in all that can be missing, and with values that look like HTML."""
        message = sample.message.name
        said = [name for name in sample.variables if name not in _CODES]
        blank = {name: "" for name in said if name not in sample.message.essential}
        with suppress(UnknownText):  # an id may be made of a value that is never empty
            self._renderer.page(message, {**sample.variables, **blank}, language)
        probes = {name: f"{sample.variables[name]}<x-{name}>" for name in said}
        with suppress(MessageError):  # so may anything else of a value that is none of those there are
            page = self._renderer.page(message, {**sample.variables, **probes}, language)
            for name in said:
                if f"<x-{name}>" in page.html:
                    what = f"{message} takes what stands in {name} for HTML, whoever typed it"
                    yield error(file, None, what, f"write {{{{ {name} }}}} without |safe, here or in what it extends")

    def _attempt(self, sample: Sample, file: str) -> Attempt:
        variables = ALWAYS.union(sample.variables)
        return Attempt(sample.message.name, file, variables, self._variables, self._templates)

    def _sms(self, sample: Sample, language: str) -> Iterator[Problem]:
        sms_id = sample.message.sms_id or ""
        place = self._words.place(sms_id, language)
        text = self._renderer.sms(sms_id, sample.variables, language)
        yield from _lost(text, sample, str(place.file), place.row, f"{sms_id} in {language}")
        long_text = self._renderer.sms(sms_id, sample.long_variables, language)
        if self._is_told(sms_id, language):
            yield from price_problems(self._words, sms_id, language, long_text)


def _lost(text: str, sample: Sample, file: str, row: int | None, where: str) -> Iterator[Problem]:
    """Essential variables that do not come out: the message would be of no use."""
    said = " ".join(text.split())
    for name in sample.message.essential:
        if " ".join(sample.variables[name].split()) not in said:
            yield error(file, row, f"{where} does not say {{{{{name}}}}}", f"put {{{{{name}}}}} into it")
