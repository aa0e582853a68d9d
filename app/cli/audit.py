"""`country-config audit`: who did what by hand."""

from __future__ import annotations

import click

from app.cli.databases import opened, shown_time
from app.cli.tables import print_table
from app.database.audit import newest
from app.settings import Settings


@click.group()
def audit() -> None:
    """Who accepted, rejected, retried, paused, made or revoked something."""


@audit.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1))
@click.option("--subject", help="An action's or a delivery's id, the name of a destination or a client.")
def list_(limit: int, subject: str | None) -> None:
    """What was done by hand, the newest first."""
    with opened(Settings.from_env()) as database:
        rows = newest(database, limit, subject)
    if not rows:
        click.echo("Nothing was done by hand.")
        return
    print_table(
        ["Time (UTC)", "Who", "What", "Subject", "Request"],
        [(shown_time(row.at), row.who, row.what, row.subject, row.request_id or "") for row in rows],
    )
