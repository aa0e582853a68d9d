"""Why a message cannot be made, in words for whoever wrote its template and its texts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from jinja2 import TemplateNotFound, TemplatesNotFound, TemplateSyntaxError, UndefinedError

from app.notifications.checks.cells import close_to
from app.notifications.checks.problems import Problem, error
from app.notifications.checks.wording import Wording
from app.notifications.errors import MessageError
from app.notifications.render import CannotRender, template_place
from app.notifications.translations import UnknownText, UnknownVariable

_UNDEFINED = re.compile(r"'(\w+)' is undefined")
INNER = frozenset({"unnamed", "news"})  # variables that choose words, and are none to be said


@dataclass(frozen=True)
class Attempt:
    """The message that was to be made, from the template `file` and with these variables.

    `anywhere` are the variables of all messages, `templates` the names of all templates.
    """

    message: str
    file: str
    variables: Collection[str]
    anywhere: Collection[str]
    templates: Collection[str]


def failure(broken: MessageError, attempt: Attempt, words: Wording) -> Iterator[Problem]:
    """Nothing for what is a problem of a file or of a cell already."""
    at = template_place(broken)
    file, line = (at.file, at.line) if at else (attempt.file, None)
    if isinstance(broken, UnknownVariable):
        yield from _unknown_variable(broken, attempt, words)
    elif isinstance(broken, UnknownText):
        place = words.place(broken.text_id)
        if broken.text_id in words.rows:
            cure = "fill the cells of this row"
            yield error(place.file, place.row, f"{broken.text_id} has no text in a language that would do", cure)
        else:
            cure = (
                close_to(broken.text_id, words.rows) or f"add a row with the id {broken.text_id} to translations/*.csv"
            )
            where = (file, line) if at else (str(place.file), None)
            yield error(*where, f"there is no text {broken.text_id}", cure)
    elif isinstance(broken, CannotRender) and not _is_of_a_file(broken.__cause__):
        what, cure = _of_template(broken, attempt)
        yield error(file, line, what, cure)


def _is_of_a_file(cause: BaseException | None) -> bool:
    return isinstance(cause, OSError | UnicodeDecodeError) and not isinstance(cause, TemplateNotFound)


def _unknown_variable(broken: UnknownVariable, attempt: Attempt, words: Wording) -> Iterator[Problem]:
    if broken.text_id is not None and broken.variable in attempt.anywhere:
        place = words.place(broken.text_id, broken.language)
        what = f"{broken.text_id} in {broken.language}: {attempt.message} has no variable {{{{{broken.variable}}}}}"
        yield error(place.file, place.row, what, what_there_is(attempt))


def _of_template(broken: CannotRender, attempt: Attempt) -> tuple[str, str]:
    cause = broken.__cause__
    if isinstance(cause, TemplatesNotFound):
        return f"{attempt.message} has no template", 'make this file, and start it with {% extends "layout.html" %}'
    if isinstance(cause, TemplateNotFound):
        cure = close_to(str(cause), attempt.templates) or f"there are {', '.join(sorted(attempt.templates))}"
        return f"there is no template {cause}", cure
    if isinstance(cause, TemplateSyntaxError):
        cure = "here or above, a {% … %} or {{ … }} is mistyped, or opened and not closed"
        return f"cannot be understood: {cause.message}", cure
    if isinstance(cause, UndefinedError):
        unknown = _UNDEFINED.search(str(cause))
        if unknown:
            name = unknown.group(1)
            return f"{attempt.message} has no variable {name}", close_to(name, _said(attempt)) or what_there_is(attempt)
    if isinstance(cause, RecursionError):
        return "comes back to itself and never ends", 'to extend ours, write {% extends "default/layout.html" %}'
    return f"stops with {broken.problem}", "mend what this line does"


def _said(attempt: Attempt) -> list[str]:
    return sorted(set(attempt.variables) - INNER)


def what_there_is(attempt: Attempt) -> str:
    """The variables of a message."""
    return f"it has {', '.join(_said(attempt))}"
