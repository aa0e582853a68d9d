"""`country-config compat`: which versions of core were seen, and what is missing for the newer one."""

from __future__ import annotations

from collections.abc import Sequence

import click

from app.cli.databases import opened, shown_time
from app.cli.tables import print_table
from app.composition.core import system_client
from app.opencrvs import registered_clients
from app.opencrvs.registered_clients import RegisteredClient
from app.opencrvs.system_client import SystemClientError
from app.opencrvs.version_signs import SeenSign, VersionSigns
from app.settings import Settings

_DAY = 86_400.0


@click.command()
@click.option("--days", default=1.0, show_default=True, help="How far back to look.")
def compat(days: float) -> None:
    """Show which versions of core were seen, by which signs, and what core 2.1 needs that is missing.

    Exits 1 where core 2.1 was seen and something is missing.
    """
    settings = Settings.from_env()
    with opened(settings) as database:
        seen = VersionSigns(database).seen(days * _DAY)
        with database.reading() as connection:
            registered = registered_clients.find(connection, settings.system_client_name)
    if seen:
        print_table(["Core", "Known by", "Of", "First seen (UTC)", "Last seen (UTC)"], [_row(sign) for sign in seen])
    else:
        click.echo("No core was seen.")
    missing = missing_for_2_1(settings, registered)
    if not missing:
        click.echo("Nothing is missing for core 2.1.")
        return
    click.echo("Missing for core 2.1:")
    for line in missing:
        click.echo(f"  - {line}")
    if any(sign.sign.needs_client for sign in seen):
        raise SystemExit(1)


def missing_for_2_1(settings: Settings, registered: RegisteredClient | None) -> Sequence[str]:
    """Return what core 2.1 needs and is not there, each with what to do. Asks core for a token.

    `registered` is our own client as the last system/ready found it at core.
    """
    missing = []
    if settings.gateway_url is None:
        missing.append("GATEWAY_URL is not set: no deferred action can be confirmed")
    if settings.events_url is None:
        missing.append("EVENTS_URL is not set: our system client cannot be registered at core")
    if settings.system_client is None:
        missing.append("SYSTEM_CLIENT_ID and SYSTEM_CLIENT_SECRET are not set: no deferred action can be confirmed")
    if settings.event_config_url is None:
        missing.append("EVENT_CONFIG_URL is not set: what rules add is not checked, and core refuses unknown fields")
    client = system_client(settings)
    if client is not None and settings.system_client is not None:
        try:
            client.token()
        except SystemClientError as error:
            why = registered_clients.why_unusable(registered, settings.system_client)
            missing.append(f"{error}" + (f" ({why})" if why else ""))
    return missing


def _row(seen: SeenSign) -> tuple[str, ...]:
    return (
        seen.sign.version,
        seen.sign.value,
        seen.detail,
        shown_time(seen.first_seen_at),
        shown_time(seen.last_seen_at),
    )
