"""Taking over the messages of a country configuration in TypeScript, file by file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.notifications.handlebars import Kind, Remark, Tag, read
from app.notifications.handlebars_jinja import convert, unknown_variable
from app.notifications.import_sources import WORDING, Sources, message_of
from app.notifications.render import ALWAYS
from app.notifications.sample import Sample
from app.notifications.translations import BadTranslationFile, Row, rows_of

Known = Mapping[str, frozenset[str]]
"""The variables that there are, by the names of e-mail templates and the ids of SMS."""


class Status(StrEnum):
    """What became of a file; one that is `as it was` had been taken over before."""

    WRITTEN = "written"
    THERE = "as it was"
    LEFT = "left out"


_OF_ITS_OWN = "core asks for no such message; one of your own needs a trigger(...) in rules.py"
_NOT_IN_TEXTS = {  # by what a tag is, what to do about it in a text of a CSV file
    Kind.COMMENT: "move it into the column description",
    Kind.IF: "write a text that reads well without the variable too",
}


@dataclass(frozen=True)
class Said:
    """What is to be said of a file; `line` is the row of a CSV file; None where it is the file as a whole."""

    what: str
    cure: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True)
class Taken:
    """One file and what became of it. `target` is where it is now; of one that was LEFT, where it would be."""

    source: Path
    status: Status
    target: Path | None = None
    said: Sequence[Said] = ()


def known_variables(samples: Iterable[Sample]) -> Known:
    """Of each message its own; of a template that several messages share, those that all of them have."""
    known: dict[str, frozenset[str]] = {}
    for sample in samples:
        variables = ALWAYS.union(sample.variables)
        for name in (sample.message.name, sample.message.sms_id, *sample.message.shared):
            if name is not None:
                known[name] = known.get(name, variables) & variables
    return known


def take_over(sources: Sources, into: Path, known: Known, *, force: bool = False) -> Iterator[Taken]:
    """Write ours into a country's directory. A file that is there is left as it is, save with `force`.

    Never raises for what is in a file, nor for one that cannot be read or written.
    """
    for path in sources.templates:
        yield _template(path, into / "templates" / "email", known, force)
    if sources.wording is not None:
        yield _wording(sources.wording, into / "translations" / WORDING, known, force)


def _template(path: Path, directory: Path, known: Known, force: bool) -> Taken:
    message = message_of(path)
    if message is None or message not in known:
        return Taken(path, Status.LEFT, said=[Said("no message has a template of this name", _OF_ITS_OWN)])
    target = directory / f"{message}.html"
    try:
        template = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        return Taken(path, Status.LEFT, target, [_unreadable(error)])
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return Taken(path, Status.LEFT, target, [Said("this line is not UTF-8", "save the file as UTF-8", line)])
    if "\0" in template:
        return Taken(path, Status.LEFT, target, [Said("it is no text in UTF-8", "save the file as UTF-8")])
    converted = convert(template, known[message])
    if converted.jinja is None:
        return Taken(path, Status.LEFT, target, [_said(one) for one in converted.obstacles])
    return _put(path, target, converted.jinja.encode(), force, [_said(one) for one in converted.notes])


def _wording(path: Path, target: Path, known: Known, force: bool) -> Taken:
    try:
        content = path.read_bytes()
        rows = list(rows_of(path))
    except OSError as error:
        return Taken(path, Status.LEFT, target, [_unreadable(error)])
    except BadTranslationFile as bad:
        return Taken(path, Status.LEFT, target, [Said(bad.problem, "mend it and import it again", bad.row)])
    problems = [problem for row in rows if row.text_id in known for problem in _row_problems(row, known[row.text_id])]
    if problems:
        return Taken(path, Status.LEFT, target, problems)
    unused = [row.text_id for row in rows if row.text_id not in known]
    notes = [Said(f"no message uses {', '.join(unused)}", "they do no harm")] if unused else []
    return _put(path, target, content, force, notes)


def _row_problems(row: Row, variables: frozenset[str]) -> Iterator[Said]:
    """What a text has beyond {{x}} and {{{x}}}, which Handlebars would do and our texts do not."""
    for language, text in row.texts.items():
        for what, cure in _text_problems(text, variables):
            yield Said(f"{row.text_id} in {language}: {what}", cure, row.number)


def _text_problems(text: str, variables: frozenset[str]) -> Iterator[tuple[str, str]]:
    tokens, obstacles = read(text)
    yield from ((one.what, one.cure) for one in obstacles)
    if "\\{{" in text:
        yield "\\{{ stands for braces, which a text cannot show", "leave the braces out"
    for tag in tokens:
        if not isinstance(tag, Tag) or tag.kind in (Kind.ELSE, Kind.END):
            continue
        if tag.kind in _NOT_IN_TEXTS:
            yield f"{_shown(tag)} is not known in texts, only {{{{x}}}} is", _NOT_IN_TEXTS[tag.kind]
        elif tag.strips_before or tag.strips_after:
            yield f"the ~ of {{{{{tag.said}}}}} is not known in texts", "leave out the ~, and the space on its side"
        elif tag.said not in variables:
            yield unknown_variable(tag.said, variables)


def _shown(tag: Tag) -> str:
    return "a comment" if tag.kind is Kind.COMMENT else f"{{{{#if {tag.said}}}}}"


def _put(source: Path, target: Path, content: bytes, force: bool, notes: Sequence[Said]) -> Taken:
    """Whole or not at all."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        if os.path.lexists(target):
            if target.read_bytes() == content:
                return Taken(source, Status.THERE, target, notes)
            if not force:
                cure = "look at the two, then --force, which writes over it, or leave it"
                return Taken(source, Status.LEFT, target, [Said(f"there is another {target.name} already", cure)])
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with draft.open("xb") as file:
                file.write(content)
                os.fsync(file.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        said = Said(
            f"{error.filename or target} cannot be written: {error.strerror}", "make room for it, or let us write there"
        )
        return Taken(source, Status.LEFT, target, [said])
    return Taken(source, Status.WRITTEN, target, notes)


def _unreadable(error: OSError) -> Said:
    return Said(f"it cannot be read: {error.strerror}", "let us read it")


def _said(remark: Remark) -> Said:
    return Said(remark.what, remark.cure, remark.place.line, remark.place.column)
