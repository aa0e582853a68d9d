"""`country-config webhooks`: who is told of what, for the operator; clients have the API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click

from app.access import clients as access
from app.cli.databases import opened, shown_time
from app.cli.tables import print_table
from app.database import audit
from app.database.audit import What
from app.database.engine import Database
from app.encryption import Cipher, UnknownKey
from app.settings import Settings
from app.url_parsing import ForbiddenUrl, target_of
from app.webhooks.subscription import Subscription
from app.webhooks.subscriptions import ChangedMeanwhile, Subscriptions, UnknownSubscription


@click.group()
def webhooks() -> None:
    """Webhooks: who is told of what, switch a receiver off, and on again."""


@dataclass(frozen=True)
class _Opened:
    database: Database
    subscriptions: Subscriptions


@contextmanager
def _opened() -> Iterator[_Opened]:
    """What a person can mend becomes one plain message."""
    settings = Settings.from_env()
    with opened(settings) as database:
        try:
            yield _Opened(database, Subscriptions(database, Cipher(settings.secret_keys)))
        except (UnknownSubscription, ChangedMeanwhile, UnknownKey) as error:
            raise click.ClickException(str(error)) from None


@webhooks.command("list")
def list_() -> None:
    """All subscriptions: where they go, how they fare, and what waits for them."""
    with _opened() as at:
        names = {client.id: client.name for client in access.all(at.database)}
        waiting = at.subscriptions.waiting()
        rows = [
            (
                one.id,
                names.get(one.client_id, "?"),
                _receiver(one),
                " ".join(one.wish.event_types),
                str(waiting.get(one.id, 0)),
                _state(one),
            )
            for one in at.subscriptions.all()
        ]
    if not rows:
        click.echo("No subscriptions yet: docs/webhooks.md says how another system makes one.")
        return
    print_table(["ID", "Client", "Receiver", "Told of", "Waiting", "State (UTC)"], rows)


@webhooks.command()
@click.argument("subscription_id", metavar="ID")
@click.option("--reason", required=True, help="Why; its client reads it, and so does webhooks list.")
def disable(subscription_id: str, reason: str) -> None:
    """Tell a receiver nothing any more. What is owed to it is dropped when it is due."""
    with _opened() as at:
        subscription = at.subscriptions.find(subscription_id)
        with at.database.transaction() as connection:
            if at.subscriptions.disable(connection, subscription, f"by the operator: {reason}"):
                audit.record(connection, audit.operator(), What.SUBSCRIPTION_CHANGE, [subscription.id])
                said = "It is told nothing any more."
            else:
                said = "It was told nothing already."
    click.echo(said)


@webhooks.command()
@click.argument("subscription_id", metavar="ID")
def enable(subscription_id: str) -> None:
    """Tell a receiver again. What it missed, its client can have by POST /webhooks/subscriptions/ID/replay."""
    with _opened() as at:
        subscription = at.subscriptions.find(subscription_id)
        at.subscriptions.change(subscription, subscription.wish, active=True)
        with at.database.transaction() as connection:
            audit.record(connection, audit.operator(), What.SUBSCRIPTION_CHANGE, [subscription.id])
    click.echo("It is told again, of what happens from now on.")


def _receiver(subscription: Subscription) -> str:
    """Without path and query, which may hold a secret."""
    try:
        target = target_of(subscription.wish.url, allow_http=True)
    except ForbiddenUrl:
        return "?"
    return f"{target.scheme}://{target.host}:{target.port}"


def _state(subscription: Subscription) -> str:
    if subscription.disabled_because is not None:
        return f"disabled: {subscription.disabled_because}"
    if not subscription.active:
        return "switched off by its client"
    if subscription.failing_since is not None:
        return f"failing since {shown_time(subscription.failing_since)}"
    return "well"
