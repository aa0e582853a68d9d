"""What a `rules.py` declares while it is read."""

from __future__ import annotations

from contextvars import ContextVar

from app.country.country import (
    AnalyticsRule,
    CountryTrigger,
    InformantRule,
    LanguageRule,
    NumberHook,
    ReadyRule,
    Rule,
)


class InvalidRules(Exception):
    """The country's `rules.py` cannot be used; the message says where and why."""


class Declarations:
    """So far."""

    def __init__(self) -> None:
        self.triggers: dict[str, CountryTrigger] = {}
        self.rules: list[tuple[str, str, Rule]] = []
        self.numbers: dict[str, NumberHook] = {}
        self.on_ready: list[ReadyRule] = []
        self.informants: dict[str, InformantRule] = {}
        self.language_rule: LanguageRule | None = None
        self.analytics: dict[str, AnalyticsRule] = {}


declared: ContextVar[Declarations] = ContextVar("declared")


def declarations(extension_point: str) -> Declarations:
    """Those of the `rules.py` that is being read. Raises InvalidRules where none is."""
    found = declared.get(None)
    if found is None:
        raise InvalidRules(f"{extension_point}(...) belongs into the rules.py of a COUNTRY_DIR")
    return found
