"""`country-config <noun> <verb>`: results on stdout, logs on stderr."""

from __future__ import annotations

import sys

import click

from app.cli.analytics import analytics
from app.cli.audit import audit
from app.cli.clients import clients
from app.cli.compat import compat
from app.cli.confirmations import confirmations
from app.cli.database import db
from app.cli.messages import messages
from app.cli.outbox import outbox
from app.cli.processes import serve, web, worker
from app.cli.rules import rules
from app.cli.samples import samples
from app.cli.webhooks import webhooks
from app.country import InvalidRules
from app.database.engine import DatabaseAway, TransactionAbortedError
from app.database.schema import OldSchema
from app.notifications.errors import MessageError
from app.settings import InvalidSettings


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="country-config")
def commands() -> None:
    """The server that a country puts beside OpenCRVS. Settings come from the environment; see the README."""


for command in (
    serve,
    web,
    worker,
    db,
    outbox,
    confirmations,
    rules,
    clients,
    audit,
    webhooks,
    analytics,
    messages,
    samples,
    compat,
):
    commands.add_command(command)


def main() -> None:
    """The entry point: what a person can mend is one plain message, never a traceback."""
    try:
        commands()
    except (InvalidSettings, InvalidRules, MessageError, OldSchema) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except TransactionAbortedError as error:
        click.echo(f"The database ended the transaction ({error.code}): run the command again", err=True)
        sys.exit(1)
    except DatabaseAway as error:
        click.echo(f"The database does not answer: {error}\nIs DATABASE_URL right, and the server up?", err=True)
        sys.exit(1)
