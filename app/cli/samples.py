"""`country-config samples`: try a running server."""

from __future__ import annotations

import json
import time

import click
import requests

from app.access import development
from app.cli.tables import print_table
from app.settings import Settings
from app.triggers.samples import USER_SAMPLES

_TIMEOUT = 10.0


@click.group()
def samples() -> None:
    """Realistic triggers, to try a running server with."""


@samples.command()
@click.option("--to", "address", help="Where the server is. [default: this machine, COUNTRY_CONFIG_PORT]")
@click.option("--token", help="A token of core's. [default: one of the development server's own]")
def send(address: str | None, token: str | None) -> None:
    """Post one sample of each user trigger, and show the answers. Exits 1 unless all are taken."""
    settings = Settings.from_env()
    address = (address or f"http://localhost:{settings.port}").rstrip("/")
    if token is None:
        if settings.auth_url is not None:
            raise click.UsageError("AUTH_URL is set, so only core's auth service signs tokens: give one with --token")
        token = development.sign(settings.instance_dir)
    rows = []
    refused = 0
    with requests.Session() as session:
        for name, payload in USER_SAMPLES.items():
            started = time.perf_counter()
            try:
                answer = session.post(
                    f"{address}/triggers/user/{name}",
                    json=payload,
                    headers={"Authorization": f"Bearer {token}"},
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
        raise click.ClickException(f"{refused} of {len(USER_SAMPLES)} were not taken.")


def example_curl(address: str) -> str:
    """One command that a newcomer can paste."""
    body = json.dumps(
        {
            "recipient": {"name": {"firstname": "Amina", "surname": "Mwale"}, "email": "amina@registry.test"},
            "code": "730164",
        }
    )
    return f"  curl -X POST {address}/triggers/user/2fa -H 'Content-Type: application/json' \\\n    -d '{body}'"
