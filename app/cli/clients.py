"""`country-config clients`: the systems of the country that may call us with a key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from app.access import clients as access
from app.access.clients import InvalidName, NameTaken, Permission, UnknownClient, UnknownPermission
from app.cli.databases import opened, shown_time
from app.cli.tables import print_table
from app.database.engine import Database
from app.settings import Settings


@click.group()
def clients() -> None:
    """API clients: make one, list them, revoke one."""


@contextmanager
def _database() -> Iterator[Database]:
    """The database; what a person can mend becomes one plain message."""
    with opened(Settings.from_env()) as database:
        try:
            yield database
        except (InvalidName, NameTaken, UnknownClient, UnknownPermission) as error:
            raise click.ClickException(str(error)) from None


@clients.command()
@click.argument("name")
@click.option(
    "--permission",
    "permissions",
    multiple=True,
    required=True,
    metavar="PERMISSION",
    help=f"What it may do; can be repeated. One of: {', '.join(Permission)}.",
)
def create(name: str, permissions: Sequence[str]) -> None:
    """Make a client and print its key, alone on stdout. The key is shown this once."""
    with _database() as database:
        made = access.create(database, name, permissions)
    click.echo(
        f"{name} may now: {', '.join(sorted(made.client.permissions))}. Its key is shown this once, and kept here only "
        "as a hash. It is sent as: Authorization: Bearer <key>",
        err=True,
    )
    click.echo(made.key)


@clients.command("list")
def list_() -> None:
    """The clients, the revoked ones too."""
    with _database() as database:
        rows = access.all(database)
    if not rows:
        click.echo("No clients yet. To make one: country-config clients create NAME --permission PERMISSION")
        return
    print_table(
        ["Name", "Permissions", "Created (UTC)", "Revoked (UTC)"],
        [
            (
                client.name,
                " ".join(sorted(client.permissions)),
                shown_time(client.created_at),
                shown_time(client.revoked_at),
            )
            for client in rows
        ],
    )


@clients.command()
@click.argument("name")
def revoke(name: str) -> None:
    """End a client's key, at once and for good."""
    with _database() as database:
        access.revoke(database, name)
    click.echo(f"The key of {name} is revoked.")
