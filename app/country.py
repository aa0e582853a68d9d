"""Everything that a country's `rules.py` can import: the extension points, and how they are read.

from app.country import Accept, Informant, Reject, analytics, birth_figures, fields, informant, on_action
from app.country import registration_number, trigger

@on_action("birth", "REGISTER")
def register_birth(action):
    if not action.declaration.get("child.dob"):
        return Reject("The date of birth is missing")
    return Accept(declaration={"child.checked": True})

@registration_number("birth")
def birth_number(action, serial):
    return f"{action.year}-{action.office_code}-{serial:06d}"

@informant("adoption")
def adoption_informant(action):
    return Informant(email=action.declaration.get("guardian.email", ""))

trigger("hospital/discharge", fields={"ward": fields.String(required=True)}, message="hospital-discharge")

analytics("birth", fields=["child.dob", "child.gender"], computed=birth_figures)
"""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable, Collection, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar

from marshmallow import fields
from marshmallow.fields import Field

from app.records.actions import Action as RecordAction
from app.records.figures import birth_figures
from app.records.informant import Informant, full_name, informant_of
from app.records.schema import EventDocument
from app.records.state import merge
from app.settings import Integration

__all__ = [
    "Accept",
    "Action",
    "Country",
    "CountryTrigger",
    "Credentials",
    "Defer",
    "Informant",
    "Integration",
    "InvalidRules",
    "Recipient",
    "Reject",
    "User",
    "analytics",
    "birth_figures",
    "fields",
    "full_name",
    "informant",
    "informant_of",
    "language",
    "load",
    "on_action",
    "on_system_ready",
    "registration_number",
    "trigger",
]

ANY = "*"
NOWHERE = "an unknown place"

# The action types that core asks about.
CONFIRMABLE = (
    "NOTIFY",
    "DECLARE",
    "EDIT",
    "REGISTER",
    "REJECT",
    "ARCHIVE",
    "PRINT_CERTIFICATE",
    "REQUEST_CORRECTION",
    "APPROVE_CORRECTION",
    "REJECT_CORRECTION",
    "CUSTOM",
)
_PATH = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+){1,2}")
_MESSAGE = re.compile(r"[a-z0-9-]+")
_OURS = ("user/", "events/", "system/")


class InvalidRules(Exception):
    """The country's `rules.py` cannot be used; the message says where and why."""


@dataclass(frozen=True)
class Accept:
    """The country says yes. What is given here is added to the declaration and annotation of the action.

    `registration_number` is only for REGISTER; without it the number is made by the country's `registration_number`.
    """

    declaration: Mapping[str, Any] | None = None
    annotation: Mapping[str, Any] | None = None
    registration_number: str | None = None


@dataclass(frozen=True)
class Reject:
    """The country says no, for this reason."""

    reason: str


@dataclass(frozen=True)
class Defer:
    """The country says neither now: somebody accepts or rejects later. Past `deadline` an alert goes out."""

    reason: str | None = None
    deadline: datetime | timedelta | None = None


Answer = Accept | Reject | Defer


@dataclass(frozen=True)
class User:
    """Who asks for the action, by the claims of core's token."""

    id: str
    type: str
    scopes: tuple[str, ...] = ()


class OfficeUnknown(Exception):
    """The code of an office is not known: core's locations were never fetched, or it has none there."""


@dataclass(frozen=True)
class Action:
    """What a rule is asked about. `declaration` is the record's, the pending action's merged in. Read only."""

    event: EventDocument
    pending: RecordAction
    declaration: Mapping[str, Any]
    user: User
    known_office_code: str | None = None

    @property
    def year(self) -> int:
        """The year in which the action was asked for, UTC."""
        return int(self.pending.created_at[:4])

    @property
    def office(self) -> str | None:
        """The id of the location in which it was asked for."""
        return self.pending.created_at_location

    @property
    def office_code(self) -> str:
        """What core's locations have as `externalId` of that office.

        Raises OfficeUnknown, so that a rule or a number which needs it is asked again once it is known.
        """
        if not self.known_office_code:
            raise OfficeUnknown(
                "the office's code is not known: the worker fetches core's locations from GATEWAY_URL, and takes their "
                "externalId"
            )
        return self.known_office_code

    def after(self, answer: Mapping[str, Any]) -> Action:
        """The same with what an accept has added to the declaration."""
        added = answer.get("declaration")
        return replace(self, declaration=merge(self.declaration, added)) if added else self


@dataclass(frozen=True)
class Credentials:
    """What core tells once about an integration that it has registered."""

    client_id: str
    client_secret: str = field(repr=False)
    sha_secret: str = field(repr=False)


class System(Protocol):
    """What an `@on_system_ready` rule gets."""

    integrations: tuple[Integration, ...]

    def register(self, integration: Integration) -> Credentials | None:
        """Register it at core; None where that was done before, or did not work, which core's seeder is told."""


@dataclass(frozen=True)
class Recipient:
    """Somebody who is written to, as a `@language` rule gets them; "" where something is not known."""

    name: str = ""
    email: str = field(default="", repr=False)
    mobile: str = field(default="", repr=False)


LanguageRule = Callable[[Recipient], str | None]
ReadyRule = Callable[[System], None]
Rule = Callable[[Action], Answer]
Number = Callable[[Action, int], str]
Series = Callable[[Action], str]
InformantRule = Callable[[Action], Informant | None]
Computed = Callable[[RecordAction, Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class NumberHook:
    """How a country numbers registrations: `series` names the counter, `number` makes the text of its next value."""

    number: Number
    series: Series


@dataclass(frozen=True)
class AnalyticsRule:
    """What is kept of an event type for statistics. Without `fields`, what the event configurations mark."""

    fields: frozenset[str] | None
    computed: Computed | None


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
    rules: Sequence[tuple[str, str, Rule]] = ()
    numbers: Mapping[str, NumberHook] = field(default_factory=dict)
    on_ready: Sequence[ReadyRule] = ()
    informants: Mapping[str, InformantRule] = field(default_factory=dict)
    language_rule: LanguageRule | None = None
    analytics: Mapping[str, AnalyticsRule] = field(default_factory=dict)

    def rules_for(self, event_type: str, action_type: str) -> list[Rule]:
        """All that match; a country without one leaves the action to the default, which accepts."""
        return [
            rule
            for of_event, of_action, rule in self.rules
            if of_event in (ANY, event_type) and of_action in (ANY, action_type)
        ]

    def number_hook(self, event_type: str) -> NumberHook | None:
        """The one for this event type, or for any; None where numbers are left to the default."""
        return self.numbers.get(event_type) or self.numbers.get(ANY)

    def informant_rule(self, event_type: str) -> InformantRule | None:
        """The one for this event type, or for any; None where core's own forms say who is told."""
        return self.informants.get(event_type) or self.informants.get(ANY)


class _Declarations:
    """What a `rules.py` has declared so far."""

    def __init__(self) -> None:
        self.triggers: dict[str, CountryTrigger] = {}
        self.rules: list[tuple[str, str, Rule]] = []
        self.numbers: dict[str, NumberHook] = {}
        self.on_ready: list[ReadyRule] = []
        self.informants: dict[str, InformantRule] = {}
        self.language_rule: LanguageRule | None = None
        self.analytics: dict[str, AnalyticsRule] = {}


_declared: ContextVar[_Declarations] = ContextVar("declared")

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
        _declarations("on_action").rules.append((event_type, action_type, rule))
        return rule

    return declare


def on_system_ready(rule: _AnyReadyRule) -> _AnyReadyRule:
    """Do this when core's seeder says that the system is ready, in place of registering INTEGRATIONS. May run again.

    Raises InvalidRules.
    """
    _declarations("on_system_ready").on_ready.append(rule)
    return rule


def registration_number(event_type: str, *, series: Series | None = None) -> Callable[[_AnyNumber], _AnyNumber]:
    """Make the registration numbers of an event type ("*": of any), from the action and a serial.

    The function must be pure and quick: it is called in the write that keeps the decision. Serials start at 1 and
    have no gaps within a series; `series` names it for an action, such as by year and office, and without it there is
    one for each event type. Raises InvalidRules.
    """

    def declare(number: _AnyNumber) -> _AnyNumber:
        numbers = _declarations("registration_number").numbers
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
        informants = _declarations("informant").informants
        if event_type in informants:
            raise InvalidRules(f"informant({event_type!r}) is declared twice")
        informants[event_type] = rule
        return rule

    return declare


def language(rule: _AnyLanguageRule) -> _AnyLanguageRule:
    """Say in which language a person is written to: a column of `translations/*.csv`, or None for the default.

    Raises InvalidRules.
    """
    declared = _declarations("language")
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
    declared = _declarations("analytics").analytics
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
    triggers = _declarations("trigger").triggers
    if path in triggers:
        raise InvalidRules(f"trigger({path!r}) is declared twice")
    triggers[path] = CountryTrigger(path, dict(fields), message, tuple(secrets))


def load(directory: Path | None) -> Country:
    """Run the directory's `rules.py`, where there is one. Raises InvalidRules."""
    if directory is None:
        return Country()
    if not directory.is_dir():
        raise InvalidRules(f"COUNTRY_DIR is {directory}, which is not a directory")
    rules = directory / "rules.py"
    if not rules.exists():
        return Country(directory)
    declared = _Declarations()
    token = _declared.set(declared)
    try:
        runpy.run_path(str(rules), run_name="rules")
    except Exception as error:
        said = str(error) if isinstance(error, InvalidRules) else f"{type(error).__name__}: {error}"
        raise InvalidRules(f"{rules}, line {_line_of(error, rules)}: {said}") from error
    finally:
        _declared.reset(token)
    return Country(
        directory,
        declared.triggers,
        tuple(declared.rules),
        declared.numbers,
        tuple(declared.on_ready),
        declared.informants,
        declared.language_rule,
        declared.analytics,
    )


def place_of(error: BaseException) -> str:
    """Where in the country's `rules.py` an error came out of, such as rules.py:12."""
    line = _line_of(error, Path("rules.py"))
    return f"rules.py:{line}" if line else NOWHERE


def _declarations(extension_point: str) -> _Declarations:
    declared = _declared.get(None)
    if declared is None:
        raise InvalidRules(f"{extension_point}(...) belongs into the rules.py of a COUNTRY_DIR")
    return declared


def _line_of(error: BaseException, rules: Path) -> int:
    """The line of `rules.py` that the error came out of; 0 where it cannot be told."""
    line = getattr(error, "lineno", None) or 0
    trace = error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).name == rules.name:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
