"""Where a reindex from files goes on, and whether what was written before it still holds."""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from app.analytics.marking import Markings, MarkingUnavailable
from app.analytics.progress import Progress
from app.analytics.standing import holds
from app.analytics.store import AnalyticsStore
from app.settings import Settings


def kept_at(settings: Settings, source: Path) -> Path:
    """Where it is written down how far the files of `source` are read."""
    settings.instance_dir.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(str(source.absolute()).encode()).hexdigest()[:12]
    return settings.instance_dir / f"reindex-{name}.json"


@contextmanager
def alone(kept: Path) -> Iterator[None]:
    """Raises ClickException where another run is at the same files."""
    with kept.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.ClickException("Another run is at these files: wait for its end, or stop it.") from None
        yield


def going_on(store: AnalyticsStore, kept: Path, made_for: str) -> Progress:
    """What was reached; nothing where it was reached in another database, or by other marks.

    Raises Unusable and DatabaseAway.
    """
    if not kept.exists():
        return Progress(made_for)
    before = Progress.read(kept)
    if before.made_for != made_for or (before.last and not holds(store, before.last)):
        click.echo("Begun anew: the database, or what is marked, is not that of the run that was stopped.", err=True)
        return Progress(made_for)
    if before.received:
        click.echo(f"Going on after {before.received:,} events; --restart begins anew.", err=True)
    return before


def made_for(settings: Settings, markings: Markings, store: AnalyticsStore) -> str:
    """Names the database, and what is marked by what rules. Raises MarkingUnavailable."""
    marked = {
        event_type: [sorted(marking.declaration), sorted(marking.annotation)]
        for event_type in sorted(markings.event_types())
        if (marking := markings.of(event_type)) is not None
    }
    if not marked:
        raise MarkingUnavailable("Nothing is marked, so that nothing would be written: see docs/analytics.md")
    described = hashlib.sha256()
    described.update(store.database.url.render_as_string(hide_password=True).encode())
    described.update(json.dumps(marked).encode())
    if settings.country_dir is not None and (rules := settings.country_dir / "rules.py").exists():
        described.update(rules.read_bytes())  # with the functions for figures
    return described.hexdigest()
