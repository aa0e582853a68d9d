"""Every message in every language, made with sample values and looked at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.notifications import look
from app.notifications.checks import files, wording
from app.notifications.checks.contrast import too_faint
from app.notifications.checks.markup import markup_problems
from app.notifications.checks.problems import Problem, error, told_once, warning
from app.notifications.checks.wording import Place, Wording
from app.notifications.errors import MessageError
from app.notifications.render import Renderer
from app.notifications.sample import Sample
from app.notifications.sms.segments import odd_characters, segments
from app.notifications.translations import Translations, UnknownText, UnknownVariable

_LONGEST_SUBJECT = 78  # characters; more is cut off in lists


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
    our own last. Texts must be there in the `required` languages; others may have gaps. Never raises.
    """
    ours = places[-1]
    words, problems = wording.read([place / "translations" for place in places], default_language)
    shipped, _ = wording.read([ours / "translations"], default_language)
    problems += files.problems(places, [one.sample.message for one in rehearsed])
    try:
        renderer = make_renderer(words.translations)
    except MessageError as broken:
        return told_once([*problems, _of_error(broken, words, str(places[0]))])
    problems += _language_problems(required, default_language, renderer)
    problems += _row_problems(words, shipped, rehearsed, renderer, required, ours)
    for one in rehearsed:
        for language in renderer.languages:
            if "email" in one.channels:
                problems += _email_problems(renderer, words, one.sample, language)
            if "sms" in one.channels and one.sample.message.sms_id is not None:
                problems += _sms_problems(renderer, words, one.sample, one.sample.message.sms_id, language)
    return told_once(problems)


def _language_problems(required: Sequence[str], default_language: str, renderer: Renderer) -> Iterator[Problem]:
    for setting, languages in (("NOTIFICATION_LANGUAGES", required), ("DEFAULT_LANGUAGE", [default_language])):
        for language in languages:
            if language not in renderer.languages:
                there = ", ".join(renderer.languages)
                yield error("translations", None, f"{setting} has {language}, which is no column", f"there are {there}")


def _row_problems(
    words: Wording,
    shipped: Wording,
    rehearsed: Sequence[Rehearsed],
    renderer: Renderer,
    required: Sequence[str],
    ours: Path,
) -> Iterator[Problem]:
    messages = [one.sample.message for one in rehearsed]
    sms_ids = {message.sms_id for message in messages if message.sms_id is not None}
    known = frozenset(shipped.rows) | sms_ids | {text_id for text_id in words.rows if _is_of(text_id, messages)}
    plain = frozenset(sms_ids | {text_id for text_id in words.rows if text_id.endswith((".subject", ".unnamed"))})
    variables = frozenset(renderer.always).union(*(one.sample.variables for one in rehearsed))
    needed = [text_id for text_id in shipped.rows if text_id in words.rows]
    present = [language for language in required if language in renderer.languages]
    yield from wording.missing_rows(words, needed, present)
    yield from wording.cell_problems(words, plain, variables)
    yield from wording.unused_rows(words, known, ours)


def _is_of(text_id: str, messages: Iterable[object]) -> bool:
    return any(text_id.startswith(f"{getattr(message, 'name', '')}.") for message in messages)


def _email_problems(renderer: Renderer, words: Wording, sample: Sample, language: str) -> Iterator[Problem]:
    message = sample.message.name
    file = renderer.file_of(message, language)
    where = f"{message} in {language}"
    try:
        page = renderer.page(message, sample.variables, language)
        email = renderer.email(message, sample.variables, language)
        long_subject = renderer.page(message, sample.long_variables, language).subject
    except MessageError as broken:
        yield _of_error(broken, words, file)
        return
    for problem in markup_problems(page.html):
        yield error(file, None, f"the HTML of the e-mail: {problem.what}", "mend the template, or the text in it")
    for faint in too_faint(email.html):
        yield error(
            file,
            None,
            f"hard to read: {faint.colour} on {faint.behind} has a contrast of {faint.ratio}, as in “{faint.text}”",
            f"{faint.enough:g} is enough; change a colour in {look.FILE} or in the template",
        )
    yield from _lost(email.text, sample, file, where)
    if len(long_subject) > _LONGEST_SUBJECT:
        place = words.place(f"{message}.subject", language)
        what = f"the subject of {where} may have {len(long_subject)} characters"
        yield warning(place.file, place.row, what, f"lists cut off what is beyond {_LONGEST_SUBJECT}")


def _sms_problems(renderer: Renderer, words: Wording, sample: Sample, sms_id: str, language: str) -> Iterator[Problem]:
    place = words.place(sms_id, language)
    try:
        text = renderer.sms(sms_id, sample.variables, language)
        long_text = renderer.sms(sms_id, sample.long_variables, language)
    except MessageError as broken:
        yield _of_error(broken, words, str(place.file))
        return
    yield from _lost(text, sample, str(place.file), f"{sms_id} in {language}", place.row)
    counted = segments(long_text)
    if counted.count > 1:
        odd = odd_characters(long_text)
        why = f", because of {' '.join(odd[:8])}" if odd and counted.encoding != "GSM-7" else ""
        what = f"{sms_id} in {language} costs {counted.count} SMS ({counted.characters} characters, {counted.encoding})"
        room = "160 characters" if counted.encoding == "GSM-7" else "70 characters"
        yield warning(place.file, place.row, what, f"one SMS has room for {room}{why}")


def _lost(text: str, sample: Sample, file: str, where: str, row: int | None = None) -> Iterator[Problem]:
    """Essential variables that do not come out: the message would be of no use."""
    said = " ".join(text.split())
    for name in sample.message.essential:
        if " ".join(sample.variables[name].split()) not in said:
            yield error(file, row, f"{where} does not say {{{{{name}}}}}", f"put {{{{{name}}}}} into it")


def _of_error(broken: MessageError, words: Wording, file: str) -> Problem:
    if isinstance(broken, UnknownVariable) and broken.text_id is not None:
        place: Place | None = words.place(broken.text_id, broken.language)
    elif isinstance(broken, UnknownText):
        place = words.place(broken.text_id)
    else:
        place = None
    cure = "mend it; see docs/customising.md"
    return (
        error(place.file, place.row, str(broken), cure) if place is not None else error(file, None, str(broken), cure)
    )
