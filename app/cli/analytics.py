"""`country-config analytics`: the tables for statistics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from app import country, logs
from app.analytics.marking import WITHOUT_EFFECT, MarkingUnavailable
from app.analytics.places import InvalidFile
from app.analytics.standing import standing
from app.analytics.tables import Unusable, script
from app.cli.analytics_reindex import reindex
from app.cli.databases import opened
from app.cli.tables import print_table
from app.composition.analytics import Analytics, analytics_of, places_of
from app.composition.configurations import event_configurations
from app.composition.core import system_client
from app.database.engine import DatabaseAway
from app.decisions.offices import ReadingToken
from app.decisions.store import Decisions
from app.encryption import Cipher
from app.settings import Settings


@click.group()
def analytics() -> None:
    """Statistics: what is kept, write all records again, and take over the places."""


analytics.add_command(reindex)


@contextmanager
def _analytics(settings: Settings) -> Iterator[Analytics]:
    """What a person can mend becomes one plain message."""
    logs.configure(settings)
    made = analytics_of(settings, country.load(settings.country_dir), event_configurations(settings))
    try:
        yield made
    except DatabaseAway as error:
        raise click.ClickException(f"The database of ANALYTICS_DATABASE_URL does not answer: {error}") from None
    except (Unusable, MarkingUnavailable, InvalidFile) as error:
        raise click.ClickException(str(error)) from None
    finally:
        made.close()


@analytics.command()
def status() -> None:
    """What stands in the tables, which event types are marked, and what is lacking."""
    settings = Settings.from_env()
    with _analytics(settings) as made:
        if made.store is None:
            raise click.ClickException("ANALYTICS_DATABASE_URL is not set: nothing is kept for statistics")
        found = standing(made.store)
        marked = made.markings.event_types()
        print_table([], [(name, value) for name, value in found.lines()])
        print_table([], [("Marked event types", ", ".join(sorted(marked)) or "none: see docs/analytics.md")])
        if left := sorted(set(found.event_types) - marked):
            print_table([], [("Kept, and not marked any more", f"{', '.join(left)}: see docs/analytics.md")])
        if idle := sorted(set(country.load(settings.country_dir).analytics) - marked):
            print_table([], [("Rules without effect", f"{', '.join(idle)}: {WITHOUT_EFFECT}")])


@analytics.command()
@click.option("--for", "role", metavar="ROLE", help="Also what gives this role, which is to write, its rights.")
def sql(role: str | None) -> None:
    """Print the SQL of the tables and views, for an owner of a PostgreSQL in which we may make none."""
    click.echo(script(role), nl=False)


@analytics.command()
def locations() -> None:
    """Take over core's places, with a token that came with an action or our client's, and the country's own files."""
    settings = Settings.from_env()
    with opened(settings) as database, _analytics(settings) as made:
        rules = country.load(settings.country_dir)
        decisions = Decisions(database, Cipher(settings.secret_keys), rules)
        token = ReadingToken(decisions, system_client(settings))
        places = places_of(settings, made, database, token)
        if places is None:
            raise click.ClickException("ANALYTICS_DATABASE_URL is not set: there is nowhere to keep places")
        for line in places.take_over():
            click.echo(line)
