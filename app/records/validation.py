"""One action judged as core's schema judges it, and the path that core reports.

Core has two forms of an action: the full form of its type, and, where the type is confirmable and the status Rejected,
a bare form without declaration, annotation and the type's own fields. The full form is preferred; in the bare form
those fields are not looked at, whatever they hold. Core reports a failed format at its own key only where it is all
that is wrong, and only one of the forms comes that near. Everything else is reported at the action itself.
"""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import chain, islice
from typing import Any, TypeVar

from msgspec import Struct, ValidationError, convert, to_builtins

from app.records.actions import BARE, CONFIRMABLE, FORMS, UNKNOWN, Action, Form, form_of
from app.records.contents import Failure
from app.records.formats import NOT_A_DATE_TIME, NOT_A_UUID, is_date_time, is_uuid

MOST_PROBLEMS = 20
"""Reported of one document: a large one can have millions, and nobody reads more."""

_OMITTED = {"declaration", "annotation"}
_BARE_KEYS = [key for key in Action.__struct_encode_fields__ if key not in _OMITTED]
_LEVELS_OF_CONTENT = 3  # content, its duplicates, each of them
_lone_surrogate = re.compile(r"[\ud800-\udfff]").search

_AnyStruct = TypeVar("_AnyStruct", bound=Struct)


class InvalidAction(Exception):
    """What is wrong with an action, each thing with its path inside the action."""

    def __init__(self, *failures: Failure) -> None:
        super().__init__("; ".join(message for _, message in failures))
        self.failures = failures


class BadFormat(InvalidAction):
    """All types are right, nothing is missing, and a text is not what it should be."""


class Broken(InvalidAction):
    """No form fits: one failure, at the action itself."""

    def __init__(self, message: str) -> None:
        super().__init__(((), message))


def action(value: Any) -> Action:
    """The action, typed. Raises BadFormat or Broken."""
    if not isinstance(value, dict):
        raise Broken("Expected an object")
    kind = value.get("type")
    form = form_of(kind)
    if form is None:
        raise Broken("Not an action type")
    try:
        return _in_form(value, form)
    except InvalidAction as failure:
        if value.get("status") != "Rejected" or not (kind in CONFIRMABLE or form is UNKNOWN):
            raise
        return _bare(value, failure)


def named_content(accepted: Action) -> Any:
    """What the form of an action that is not Rejected names of its content, without what else came with it."""
    known = FORMS.get(accepted.type)
    form = known.content if known is not None else None
    if form is None or accepted.content is None:
        return None
    return to_builtins(_converted(accepted.content, form, levels=_LEVELS_OF_CONTENT))


def _bare(value: dict[str, Any], full: InvalidAction) -> Action:
    bare_value = {key: value[key] for key in _BARE_KEYS if key in value}
    try:
        return _in_form({**bare_value, "declaration": {}}, BARE)
    except BadFormat as bare:
        if isinstance(full, Broken):
            raise
        raise Broken(f"{bare} (in the full form and in the rejected form)") from None


def _in_form(value: dict[str, Any], form: Form) -> Action:
    try:
        read = _converted(value, form.action, levels=1)
        failed = _failed_formats(read)
        if form.content is not None and read.content is not None:
            content = _converted(read.content, form.content, levels=_LEVELS_OF_CONTENT)
            wrong = islice(content.failed_formats(), MOST_PROBLEMS)
            failed += [(("content", *path), message) for path, message in wrong]
    except ValidationError as error:
        raise Broken(_said(error)) from None
    for key in form.never_null:
        if value.get(key, "") is None:
            raise Broken(f"{key} may be absent, and may not be null")
    if failed:
        raise BadFormat(*failed)
    return read


def _learn_all_forms() -> None:
    """msgspec learns a class when it first converts to it, and two threads that have it learn the same class at once
    can end the process (0.22.0, SIGSEGV): so that is over before there are threads."""
    forms = (*FORMS.values(), BARE, UNKNOWN)
    for learned in chain((form.action for form in forms), (form.content for form in forms if form.content is not None)):
        with suppress(ValidationError):
            convert({}, learned)


def _failed_formats(read: Action) -> list[Failure]:
    """In the order of core's schema."""
    failed: list[Failure] = []
    if not is_uuid(read.id):
        failed.append((("id",), NOT_A_UUID))
    if not is_date_time(read.created_at):
        failed.append((("createdAt",), NOT_A_DATE_TIME))
    if read.created_at_location is not None and not is_uuid(read.created_at_location):
        failed.append((("createdAtLocation",), NOT_A_UUID))
    if read.original_action_id is not None and not is_uuid(read.original_action_id):
        failed.append((("originalActionId",), NOT_A_UUID))
    return failed


def _converted(value: Any, form: type[_AnyStruct], levels: int) -> _AnyStruct:
    """msgspec's `convert`, which cannot read a lone surrogate where it looks for a key or one of several words."""
    try:
        return convert(value, form)
    except UnicodeEncodeError:
        try:
            return convert(_with_readable_keys(value, levels), form)
        except UnicodeEncodeError:
            raise ValidationError("A lone surrogate in a text that is not allowed here") from None


def _with_readable_keys(value: Any, levels: int) -> Any:
    """Without the keys that hold a lone surrogate, which no form names, as many levels down as a form does name."""
    if levels and isinstance(value, dict):
        readable = {key: inner for key, inner in value.items() if not _lone_surrogate(key)}
        return {key: _with_readable_keys(inner, levels - 1) for key, inner in readable.items()}
    if levels and isinstance(value, list):
        return [_with_readable_keys(inner, levels - 1) for inner in value]
    return value


def _said(error: ValidationError) -> str:
    """msgspec's message without the value, which is the sender's and may be of any length."""
    message = str(error)
    if message.startswith("Invalid enum value"):
        return f"Not one of the words that are allowed - at {message.rpartition(' - at ')[2]}"
    return message


_learn_all_forms()
