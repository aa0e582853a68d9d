"""Where a reindex from files goes on, and whether what was written before it still holds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import click

from app.analytics.marking import MarkingUnavailable
from app.analytics.progress import Progress
from app.analytics.standing import is_empty
from app.analytics.store import AnalyticsStore
from app.composition.analytics import Analytics
from app.settings import Settings


def kept_at(settings: Settings, source: Path) -> Path:
    """Where it is written down how far the files of `source` are read."""
    settings.instance_dir.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(str(source.absolute()).encode()).hexdigest()[:12]
    return settings.instance_dir / f"reindex-{name}.json"


def going_on(settings: Settings, analytics: Analytics, store: AnalyticsStore, kept: Path, restart: bool) -> Progress:
    """What was reached; nothing where it was reached in another database, or by other marks.

    Raises MarkingUnavailable, Unusable and DatabaseAway.
    """
    made_for = _made_for(settings, analytics, store)
    before = Progress.read(kept)
    if restart or not before.received:
        return Progress(made_for)
    if before.made_for != made_for or (before.written and is_empty(store)):
        click.echo("Begun anew: the database, or what is marked, is not that of the run that was stopped.", err=True)
        return Progress(made_for)
    click.echo(f"Going on after {before.received:,} events; --restart begins anew.", err=True)
    return before


def _made_for(settings: Settings, analytics: Analytics, store: AnalyticsStore) -> str:
    marked = {
        event_type: [sorted(marking.declaration), sorted(marking.annotation)]
        for event_type in sorted(analytics.markings.event_types())
        if (marking := analytics.markings.of(event_type)) is not None
    }
    if not marked:
        raise MarkingUnavailable("Nothing is marked, so that nothing would be written: see docs/analytics.md")
    rules = settings.country_dir / "rules.py" if settings.country_dir is not None else None
    computed_by = rules.read_text(encoding="utf-8") if rules is not None and rules.exists() else ""
    described = json.dumps([store.database.url.render_as_string(hide_password=True), marked, computed_by])
    return hashlib.sha256(described.encode()).hexdigest()
