"""What a country has declared, and the functions that it gives us."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from marshmallow import fields

from app.country.action import Action
from app.country.answers import Answer
from app.records.actions import Action as RecordAction
from app.records.informant import Informant
from app.settings import Credentials, Integration

ANY = "*"


class System(Protocol):
    """What an `@on_system_ready` rule gets."""

    integrations: tuple[Integration, ...]

    def register(self, integration: Integration) -> Credentials | None:
        """Register it at core unless core has an integration of this name, and return its credentials there.

        The secrets are handed to a rule until it has ended without an error, and None from then on. None also where
        core refuses, which core is answered with 503, and on core 2.0.0, which lets nobody register here. On core
        before 2.1 the credentials are core's own, whatever `integration.credentials` says.
        """


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
