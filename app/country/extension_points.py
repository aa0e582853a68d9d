"""By what a `rules.py` declares."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from marshmallow import fields
from marshmallow.fields import Field

from app.country.country import (
    ANY,
    AnalyticsRule,
    Computed,
    CountryTrigger,
    InformantRule,
    LanguageRule,
    Number,
    NumberHook,
    ReadyRule,
    Rule,
    Series,
)
from app.country.declarations import InvalidRules, declarations
from app.records.actions import CONFIRMABLE

_PATH = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+){1,2}")
_MESSAGE = re.compile(r"[a-z0-9-]+")
_OURS = ("user/", "events/", "system/")

_AnyRule = TypeVar("_AnyRule", bound=Rule)
_AnyNumber = TypeVar("_AnyNumber", bound=Number)
_AnyReadyRule = TypeVar("_AnyReadyRule", bound=ReadyRule)
_AnyLanguageRule = TypeVar("_AnyLanguageRule", bound=LanguageRule)
_AnyInformantRule = TypeVar("_AnyInformantRule", bound=InformantRule)


def on_action(event_type: str, action_type: str) -> Callable[[_AnyRule], _AnyRule]:
    """Answer for the country when core asks about this action; "*" stands for any event type or action type.

    Several rules may match: a Reject beats a Defer, a Defer beats an Accept, and the additions of all Accepts are
    merged. Raises InvalidRules.
    """
    if action_type != ANY and action_type not in CONFIRMABLE:
        raise InvalidRules(f"on_action({event_type!r}, {action_type!r}): core asks about {', '.join(CONFIRMABLE)}")

    def declare(rule: _AnyRule) -> _AnyRule:
        declarations("on_action").rules.append((event_type, action_type, rule))
        return rule

    return declare


def on_system_ready(rule: _AnyReadyRule) -> _AnyReadyRule:
    """Do this when core says that the system is ready, in place of registering INTEGRATIONS.

    Runs at every start of core's events service, and again while something fails. It has less than 4 seconds together
    with all other rules. Raises InvalidRules.
    """
    declarations("on_system_ready").on_ready.append(rule)
    return rule


def registration_number(event_type: str, *, series: Series | None = None) -> Callable[[_AnyNumber], _AnyNumber]:
    """Make the registration numbers of an event type ("*": of any), from the action and a serial.

    The function must be pure and quick: it is called in the write that keeps the decision. Serials start at 1 and
    have no gaps within a series; `series` names it for an action, such as by year and office, and without it there is
    one for each event type. Raises InvalidRules.
    """

    def declare(number: _AnyNumber) -> _AnyNumber:
        numbers = declarations("registration_number").numbers
        if event_type in numbers:
            raise InvalidRules(f"registration_number({event_type!r}) is declared twice")
        numbers[event_type] = NumberHook(number, series or (lambda action: action.event.type))
        return number

    return declare


def informant(event_type: str) -> Callable[[_AnyInformantRule], _AnyInformantRule]:
    """Say who is told what becomes of a declaration of this event type ("*": of any); None tells nobody.

    `informant_of(action.declaration)` is what is shipped, to start from. Raises InvalidRules.
    """

    def declare(rule: _AnyInformantRule) -> _AnyInformantRule:
        informants = declarations("informant").informants
        if event_type in informants:
            raise InvalidRules(f"informant({event_type!r}) is declared twice")
        informants[event_type] = rule
        return rule

    return declare


def language(rule: _AnyLanguageRule) -> _AnyLanguageRule:
    """Say in which language a person is written to: a column of `translations/*.csv`, or None for the default.

    Raises InvalidRules.
    """
    declared = declarations("language")
    if declared.language_rule is not None:
        raise InvalidRules("@language is declared twice")
    declared.language_rule = rule
    return rule


def analytics(event_type: str, *, fields: Collection[str] | None = None, computed: Computed | None = None) -> None:
    """Keep these fields of an event type for statistics; without `fields`, those that its configuration marks.

    Only what is named is kept, of declarations and annotations alike, so name nothing that tells who somebody is.
    `computed` makes figures from the whole declaration: `computed(action, declaration)` returns them by name, for each
    accepted action; it must be pure and quick. `birth_figures` is one. Raises InvalidRules.
    """
    declared = declarations("analytics").analytics
    if isinstance(fields, str) or not all(isinstance(one, str) for one in fields or ()):
        raise InvalidRules(f"analytics({event_type!r}): fields is a list of the ids of fields, such as child.dob")
    if fields is None and computed is None:
        raise InvalidRules(f"analytics({event_type!r}): say which fields are kept, or what is computed")
    if event_type in declared:
        raise InvalidRules(f"analytics({event_type!r}) is declared twice")
    declared[event_type] = AnalyticsRule(None if fields is None else frozenset(fields), computed)


def trigger(
    path: str, *, fields: Mapping[str, fields.Field[object]], message: str, secrets: Sequence[str] = ()
) -> None:
    """Take `POST /triggers/{path}` too, and send `message` to its recipient.

    `path` is resource/action or resource/subresource/action. Beside `fields` (marshmallow's), the payload has a
    `recipient`, shaped as in core's user triggers. The message is `templates/email/{message}.html` with its wording
    in `translations/`, and by SMS the wording with the id `{message}.sms`. The text fields are its variables, so that
    one which may be absent needs a `load_default`. Fields named in `secrets` are erased once the message has gone
    out. Raises InvalidRules.
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
    triggers = declarations("trigger").triggers
    if path in triggers:
        raise InvalidRules(f"trigger({path!r}) is declared twice")
    triggers[path] = CountryTrigger(path, dict(fields), message, tuple(secrets))
