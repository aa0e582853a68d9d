"""`country-config db`: the tables."""

from __future__ import annotations

import click

from app.database import schema
from app.database.engine import Database
from app.settings import Settings


@click.group()
def db() -> None:
    """The tables of the database."""


@db.command()
def upgrade() -> None:
    """Make the tables, or bring them up to date. Safe to run again, and by several at once."""
    database = Database(Settings.from_env().database_url)
    version = schema.upgrade(database)
    database.close()
    click.echo(f"The database is at schema version {version}.")
