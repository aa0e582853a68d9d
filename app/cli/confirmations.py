"""`country-config confirmations`: what was deferred, and an operator's word on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click
from sqlalchemy import Connection, Row, and_, func, select, text

from app import country
from app.cli.databases import opened, shown_time
from app.cli.tables import print_table
from app.composition.configurations import event_configurations
from app.database.audit import operator
from app.database.tables import decisions, deliveries
from app.decisions.additions import Additions, UnfitAdditionsError
from app.decisions.causes import Cause
from app.decisions.confirmer import NO_CREDENTIALS
from app.decisions.confirming import BeingDecided, Confirming, DecidedOtherwise, NoLateReject, TokenDead, UnknownAction
from app.decisions.forms import NoNumber, number_text
from app.decisions.questions import NEVER
from app.decisions.rulings import Ruling, Verdict
from app.decisions.store import CONFIRMATION, Decisions
from app.encryption import Cipher
from app.opencrvs import registered_clients
from app.opencrvs.event_configurations import ConfigurationsUnavailableError
from app.opencrvs.event_forms import EventForms
from app.settings import Settings


@click.group()
def confirmations() -> None:
    """Actions that core was told to wait for."""


@confirmations.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1))
def list_(limit: int) -> None:
    """What is still open, the oldest first, and why; `refused` is what core did not take."""
    settings = Settings.from_env()
    cipher = Cipher(settings.secret_keys)
    with opened(settings) as database, database.reading() as connection:
        rows, in_all = open_decisions(connection, limit)
        own_client = registered_clients.find(connection, settings.system_client_name)
    header = ["Action id", "Tracking id", "Event", "Action", "State", "Why", "Asked (UTC)", "Deadline", "Token ends"]
    print_table(
        header,
        [
            (
                row.action_id,
                row.tracking_id,
                row.event_type,
                row.action_type,
                row.state,
                row.of_core or (cipher.decrypt(row.reason) if row.reason is not None else ""),
                shown_time(row.created_at),
                shown_time(row.deadline),
                "never" if row.token_expires_at >= NEVER else shown_time(row.token_expires_at),
            )
            for row in rows
        ],
    )
    if settings.system_client is None and any(Cause.UNCONFIRMABLE in row.alerted_for.split() for row in rows):
        click.echo(f"Some cannot be confirmed: {NO_CREDENTIALS}.")
    if not rows:
        click.echo("Nothing is open.")
    elif in_all > len(rows):
        click.echo(f"{in_all - len(rows)} more are open: --limit {in_all} shows all.")
    if settings.system_client is not None:
        why = registered_clients.why_unusable(own_client, settings.system_client)
        if why is not None:
            click.echo(f"SYSTEM_CLIENT_ID cannot be used to confirm at core 2.1: {why}.")


def open_decisions(connection: Connection, limit: int) -> tuple[Sequence[Row[Any]], int]:
    """The oldest open decisions, each with core's answer as `of_core`, and how many are open."""
    confirmation = and_(deliveries.c.trigger_id == decisions.c.trigger_id, deliveries.c.key == CONFIRMATION.key)
    oldest = (
        select(decisions, deliveries.c.reason.label("of_core"))
        .outerjoin(deliveries, confirmation)
        .where(_IS_OPEN)
        .order_by(decisions.c.created_at)
        .limit(limit)
    )
    count = select(func.count()).select_from(decisions).where(_IS_OPEN)
    return connection.execute(oldest).all(), connection.scalar(count) or 0


# Literals, as the partial index has them, of a column whose name deliveries has too.
_IS_OPEN = text("decisions.state IN ('deciding', 'deferred', 'confirming', 'refused')")


@confirmations.command()
@click.argument("action_id")
@click.option("--registration-number", help="For REGISTER. [default: made by the country's rules]")
@click.option("--declaration", help="JSON object: what is added to the declaration.")
def accept(action_id: str, registration_number: str | None, declaration: str | None) -> None:
    """Accept a deferred action; core is told by the worker."""
    ruling = Ruling(Verdict.ACCEPT, declaration=_object(declaration), registration_number=registration_number)
    _resolve(action_id, ruling)


@confirmations.command()
@click.argument("action_id")
@click.option("--reason", required=True)
def reject(action_id: str, reason: str) -> None:
    """Reject a deferred action; core is told by the worker."""
    _resolve(action_id, Ruling(Verdict.REJECT, reason=reason))


def _resolve(action_id: str, ruling: Ruling) -> None:
    settings = Settings.from_env()
    rules = country.load(settings.country_dir)
    with opened(settings) as database:
        try:
            if ruling.registration_number is not None:
                number_text(ruling.registration_number)
            decisions = Decisions(database, Cipher(settings.secret_keys), rules)
            confirming = Confirming(decisions, settings.system_client is not None, _additions(settings, ruling))
            confirming.resolve(action_id, ruling, operator())
        except UnfitAdditionsError as error:
            raise click.ClickException(f"Core would refuse it: {error}") from None
        except (UnknownAction, BeingDecided, DecidedOtherwise, NoLateReject, TokenDead, NoNumber) as error:
            raise click.ClickException(str(error)) from None
    click.echo("Written down. The worker tells core: see country-config outbox list")


def _additions(settings: Settings, ruling: Ruling) -> Additions:
    """What holds additions against the event's form, which is waited for where there are any."""
    configurations = event_configurations(settings)
    if configurations is not None and ruling.declaration:
        try:
            configurations.current()
        except ConfigurationsUnavailableError as error:
            click.echo(f"The declaration is not checked against the event's form: {error}", err=True)
    return Additions(EventForms(configurations))


def _object(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError as error:
        raise click.BadParameter(f"--declaration is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise click.BadParameter("--declaration is a JSON object")
    return value
