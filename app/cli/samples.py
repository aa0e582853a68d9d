"""`country-config samples`: try a running server."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import click
import requests

from app.access import development
from app.cli.tables import print_table
from app.settings import AppEnv, Settings
from app.triggers.allow_list import USER_TRIGGERS
from app.triggers.samples import USER_SAMPLES

_TIMEOUT = 10.0


@click.group()
def samples() -> None:
    """Realistic triggers, to try a running server with."""


@samples.command()
@click.argument("triggers", nargs=-1, type=click.Choice(list(USER_SAMPLES)), metavar="[TRIGGER]...")
@click.option("--to", "address", help="Where the server is. [default: this machine, COUNTRY_CONFIG_PORT]")
@click.option(
    "--token", help="A token of core's for all of them. [default: the development server's own, one for each]"
)
def send(triggers: Sequence[str], address: str | None, token: str | None) -> None:
    """Post one sample of each user trigger, or of those that are named, and show the answers.

    Exits 1 unless all are taken.
    """
    settings = Settings.from_env()
    if token is None and settings.auth_url is not None and settings.app_env is AppEnv.PRODUCTION:
        raise click.UsageError("AUTH_URL is set, so only core's auth service signs tokens: give one with --token")
    address = (address or f"http://localhost:{settings.port}").rstrip("/")
    names = triggers or list(USER_SAMPLES)
    rows = []
    refused = 0
    with requests.Session() as session:
        for name in names:
            started = time.perf_counter()
            try:
                answer = session.post(
                    f"{address}/triggers/user/{name}",
                    json=USER_SAMPLES[name],
                    headers=_authorization(settings, name, token),
                    timeout=_TIMEOUT,
                )
            except requests.RequestException as error:
                raise click.ClickException(
                    f"{address} does not answer ({type(error).__name__}). Is it running?"
                ) from None
            refused += not answer.ok
            milliseconds = f"{(time.perf_counter() - started) * 1000:.0f}"
            rows.append((f"user/{name}", str(answer.status_code), milliseconds, answer.text[:300]))
    print_table(["Trigger", "Status", "Milliseconds", "Answer"], rows)
    if settings.inbox and settings.smtp.host is None:
        click.echo(f"The messages are in {address}/inbox")
    if refused:
        raise click.ClickException(f"{refused} of {len(names)} were not taken.")


def _authorization(settings: Settings, name: str, token: str | None) -> dict[str, str]:
    """The header for one trigger; none if core's key is used, since a development server takes calls from loopback."""
    if token is None and settings.auth_url is None:
        token = development.sign_for(settings.instance_dir, USER_TRIGGERS[name])
    return {"Authorization": f"Bearer {token}"} if token is not None else {}


def example_curl(address: str) -> str:
    """One command that a newcomer can paste."""
    body = json.dumps(
        {
            "recipient": {"name": {"firstname": "Amina", "surname": "Mwale"}, "email": "amina@registry.test"},
            "code": "730164",
        }
    )
    return f"  curl -X POST {address}/triggers/user/2fa -H 'Content-Type: application/json' \\\n    -d '{body}'"
