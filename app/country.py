"""Everything that a country's `rules.py` can import: the extension points, and how they are read.

from app.country import fields, trigger

trigger("hospital/discharge", fields={"ward": fields.String(required=True)}, message="hospital-discharge")
"""

from __future__ import annotations

import re
import runpy
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from marshmallow import fields
from marshmallow.fields import Field

__all__ = ["Country", "CountryTrigger", "InvalidRules", "fields", "load", "trigger"]

_PATH = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+){1,2}")
_MESSAGE = re.compile(r"[a-z0-9-]+")
_OURS = ("user/", "events/", "system/")


class InvalidRules(Exception):
    """The country's `rules.py` cannot be used; the message says where and why."""


@dataclass(frozen=True)
class CountryTrigger:
    """An extra trigger of the country's own, as `trigger` declares it."""

    path: str
    fields: Mapping[str, fields.Field[object]]
    message: str
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Country:
    """What a country has declared. Without a COUNTRY_DIR, nothing."""

    directory: Path | None = None
    triggers: Mapping[str, CountryTrigger] = field(default_factory=dict)


_declared: ContextVar[dict[str, CountryTrigger]] = ContextVar("declared")


def trigger(
    path: str, *, fields: Mapping[str, fields.Field[object]], message: str, secrets: Sequence[str] = ()
) -> None:
    """Take `POST /triggers/{path}` too, and send `message` to its recipient.

    `path` is resource/action or resource/subresource/action. Beside `fields` (marshmallow's), the payload has a
    `recipient`, shaped as in core's user triggers. The message is `templates/email/{message}.html` with its wording
    in `translations/`, and by SMS the wording with the id `{message}.sms`; the text fields are its variables. Fields
    named in `secrets` are erased once the message has gone out. Raises InvalidRules.
    """
    if not _PATH.fullmatch(path) or path.startswith(_OURS):
        raise InvalidRules(
            f"trigger({path!r}): a path is resource/action or resource/subresource/action in small letters, digits "
            f"and dashes, and does not start with {', '.join(_OURS)}"
        )
    if not _MESSAGE.fullmatch(message):
        raise InvalidRules(f"trigger({path!r}): a message's name has small letters, digits and dashes, not {message!r}")
    if not all(isinstance(declared, Field) for declared in fields.values()):
        raise InvalidRules(f"trigger({path!r}): each of fields is one of marshmallow's, such as fields.String()")
    if "recipient" in fields or not set(secrets) <= set(fields):
        raise InvalidRules(f"trigger({path!r}): recipient is always there; secrets names fields that are declared")
    declared = _declared.get(None)
    if declared is None:
        raise InvalidRules("trigger(...) belongs into the rules.py of a COUNTRY_DIR")
    if path in declared:
        raise InvalidRules(f"trigger({path!r}) is declared twice")
    declared[path] = CountryTrigger(path, dict(fields), message, tuple(secrets))


def load(directory: Path | None) -> Country:
    """Run the directory's `rules.py`, where there is one. Raises InvalidRules."""
    if directory is None:
        return Country()
    if not directory.is_dir():
        raise InvalidRules(f"COUNTRY_DIR is {directory}, which is not a directory")
    rules = directory / "rules.py"
    if not rules.exists():
        return Country(directory)
    declared: dict[str, CountryTrigger] = {}
    token = _declared.set(declared)
    try:
        runpy.run_path(str(rules), run_name="rules")
    except Exception as error:
        said = str(error) if isinstance(error, InvalidRules) else f"{type(error).__name__}: {error}"
        raise InvalidRules(f"{rules}, line {_line_of(error, rules)}: {said}") from error
    finally:
        _declared.reset(token)
    return Country(directory, declared)


def _line_of(error: BaseException, rules: Path) -> int:
    """The line of `rules.py` that the error came out of; 0 where it cannot be told."""
    line = getattr(error, "lineno", None) or 0
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(rules):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
