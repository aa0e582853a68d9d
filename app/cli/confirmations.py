"""`country-config confirmations`: what was deferred, and an operator's word on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy import select

from app import country
from app.cli.tables import print_table
from app.database.engine import Database
from app.database.tables import decisions
from app.decisions.confirming import Confirming, DecidedOtherwise, NoLateReject, UnknownAction
from app.decisions.numbers import NoNumber
from app.decisions.rulings import Ruling, Verdict
from app.decisions.states import DecisionState
from app.decisions.store import Decisions
from app.encryption import Cipher
from app.settings import Settings

_OPEN = (DecisionState.DECIDING, DecisionState.DEFERRED, DecisionState.CONFIRMING, DecisionState.REFUSED)


@click.group()
def confirmations() -> None:
    """Actions that core was told to wait for."""


@confirmations.command("list")
@click.option("--limit", default=50, show_default=True)
def list_(limit: int) -> None:
    """What is still open, the oldest first; `refused` is what core did not take."""
    with _database() as (database, _):
        statement = select(decisions).where(decisions.c.state.in_(_OPEN)).order_by(decisions.c.created_at).limit(limit)
        with database.reading() as connection:
            rows = connection.execute(statement).all()
    header = ["Action id", "Tracking id", "Event", "Action", "State", "Asked (UTC)", "Deadline", "Token ends"]
    print_table(
        header,
        [
            (
                row.action_id,
                row.tracking_id,
                row.event_type,
                row.action_type,
                row.state,
                _time(row.created_at),
                _time(row.deadline),
                _time(row.token_expires_at),
            )
            for row in rows
        ],
    )
    if not rows:
        click.echo("Nothing is open.")


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
    with _database() as (_, confirming):
        try:
            confirming.resolve(action_id, ruling)
        except (UnknownAction, DecidedOtherwise, NoLateReject, NoNumber) as error:
            raise click.ClickException(str(error)) from None
    click.echo("Written down. The worker tells core: see country-config outbox list")


@contextmanager
def _database() -> Iterator[tuple[Database, Confirming]]:
    settings = Settings.from_env()
    database = Database(settings.database_url)
    try:
        rules = country.load(settings.country_dir)
        yield database, Confirming(Decisions(database, Cipher(settings.secret_keys), rules))
    finally:
        database.close()


def _object(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError as error:
        raise click.BadParameter(f"--declaration is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise click.BadParameter("--declaration is a JSON object")
    return value


def _time(seconds: float | None) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M") if seconds is not None else ""
