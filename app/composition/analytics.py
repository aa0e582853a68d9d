"""Statistics, put together for the web application, the worker and the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from flask import Blueprint

from app.access.core_token import Claims, CoreTokens
from app.analytics.event_configs import ConfiguredMarkings
from app.analytics.locations import Places
from app.analytics.marking import WITHOUT_EFFECT, Markings, MarkingsOfCountry
from app.analytics.reindexing import Reindexing
from app.analytics.routes import AUDIENCES, reindex_routes
from app.analytics.store import AnalyticsStore
from app.country import Country
from app.database.engine import Database
from app.decisions.store import Decisions
from app.opencrvs.event_configurations import EventConfigurations
from app.opencrvs.locations import CoreLocations
from app.opencrvs.public_key import PublicKey
from app.settings import Settings
from app.triggers.analysing import Analysing

log = structlog.get_logger()


@dataclass(frozen=True)
class Analytics:
    """The tables for statistics, None where there is to be no such database, and what may be kept in them."""

    store: AnalyticsStore | None
    markings: Markings

    @property
    def reindexing(self) -> Reindexing:
        return Reindexing(self.store, self.markings)

    def routes(self, key: PublicKey, admitted: Callable[[str, Claims], None]) -> Blueprint:
        """What core calls; `key` is its auth service's, and `admitted` gets each token that was taken."""
        return reindex_routes(CoreTokens(key, AUDIENCES), self.reindexing, admitted)

    def analysing(self, decisions: Decisions) -> Analysing:
        """What the worker does."""
        return Analysing(decisions, self.store, self.markings)

    def close(self) -> None:
        if self.store is not None:
            self.store.database.close()


def analytics_of(settings: Settings, rules: Country, configurations: EventConfigurations | None) -> Analytics:
    """Asks no database and no configuration before it is used."""
    url = settings.analytics_database_url
    if url is None:
        log.warning(
            "analytics.off",
            reason="ANALYTICS_DATABASE_URL is not set",
            advice="nothing is written for statistics, and /reindex keeps nothing: set it, or do without dashboards",
        )
    elif settings.event_config_url is None:
        _warn_of_rules_without_effect(rules)
    return Analytics(
        AnalyticsStore(Database(url)) if url is not None else None,
        markings_of(settings, rules, configurations),
    )


def markings_of(settings: Settings, rules: Country, configurations: EventConfigurations | None) -> Markings:
    """What may be kept, alone."""
    configured = ConfiguredMarkings(configurations) if configurations is not None else None
    return MarkingsOfCountry(rules, configured, settings.decision_timeout)


def _warn_of_rules_without_effect(rules: Country) -> None:
    idle = sorted(event_type for event_type, rule in rules.analytics.items() if rule.fields is None)
    if idle:
        log.warning("analytics.rule_without_effect", event_types=idle, advice=WITHOUT_EFFECT)


def places_of(settings: Settings, analytics: Analytics, main: Database, token: Callable[[], str]) -> Places | None:
    """None where there is nowhere to keep them. `token` gives one for core, "" where there is none."""
    if analytics.store is None:
        return None
    core = CoreLocations(settings.gateway_url) if settings.gateway_url else None
    return Places(analytics.store, core, token, main, settings.country_dir)
