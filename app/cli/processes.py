"""`country-config web`, `worker`, and `serve`, which is both."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import click
import requests
import structlog

from app import create_worker, logs
from app.cli.samples import example_curl
from app.cli.supervisor import BadStart, Supervisor
from app.database import schema
from app.database.engine import Database
from app.settings import AppEnv, Settings

_CHECKOUT = Path(__file__).parents[2]
_LONGEST_START = 60.0

log = structlog.get_logger()


@click.command()
def web() -> None:
    """Take triggers, over HTTP (gunicorn). Refuses a database with an old schema."""
    settings = Settings.from_env()
    _refuse_old_schema(settings)
    _refuse_taken_port(settings)
    gunicorn = [sys.executable, "-m", "gunicorn", "--pythonpath", str(_CHECKOUT)]
    os.execv(sys.executable, [*gunicorn, "-c", "python:app.cli.gunicorn_config", "wsgi:app"])  # noqa: S606


@click.command()
def worker() -> None:
    """Deliver what is owed. Any number may run beside each other. Refuses a database with an old schema."""
    settings = Settings.from_env()
    logs.configure(settings)
    _refuse_old_schema(settings)
    running = create_worker(settings)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: running.stop())
    log.info("worker.started")
    running.run()
    running.close()
    log.info("worker.stopped")


@click.command()
def serve() -> None:
    """Migrate the database, then run web and worker together: all that one machine needs."""
    settings = Settings.from_env()
    logs.configure(settings)
    _refuse_taken_port(settings)
    database = Database(settings.database_url)
    schema.upgrade(database)
    database.close()
    ours = [sys.executable, "-m", "app.cli"]
    threading.Thread(target=_say_when_ready, args=(settings,), daemon=True).start()
    try:
        Supervisor({"web": [*ours, "web"], "worker": [*ours, "worker"]}).run()
    except BadStart as error:
        raise click.ClickException(f"{error}: the lines above say why.") from None


def _refuse_old_schema(settings: Settings) -> None:
    database = Database(settings.database_url)
    schema.check(database)
    database.close()


def _refuse_taken_port(settings: Settings) -> None:
    """Said at once; gunicorn alone would try for seconds first."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise click.ClickException(
                f"Cannot listen on {settings.host}, port {settings.port}: {error.strerror}. "
                "Set COUNTRY_CONFIG_HOST and COUNTRY_CONFIG_PORT, or stop what uses the port."
            ) from None


def _say_when_ready(settings: Settings) -> None:
    """The lines a person looks for, once the server answers; nothing where it never does."""
    address = _address(settings)
    if not _answers_in_time(f"{address}/ping"):
        return
    log.info("server.ready", address=address, app_env=settings.app_env)
    if settings.app_env is AppEnv.PRODUCTION:
        return
    lines = [f"Listening on {address} ({settings.app_env}; APP_ENV=production for the real thing)."]
    if settings.smtp.host is None:
        lines.append(f"No SMTP_HOST is set: messages are not sent, they land in {address}/inbox")
    lines += [
        "Try it from another terminal:",
        "",
        example_curl(address),
        "",
        f"or: {_as_called()} samples send --to {address}",
    ]
    click.echo("\n" + "\n".join(lines) + "\n", err=True)


def _address(settings: Settings) -> str:
    """Where this machine reaches the server: not every address that can be listened on can be called."""
    host = "localhost" if settings.host in ("0.0.0.0", "::", "") else settings.host  # noqa: S104
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def _answers_in_time(url: str) -> bool:
    until = time.monotonic() + _LONGEST_START
    with requests.Session() as session:
        session.trust_env = False  # a proxy would answer in the server's place
        while time.monotonic() < until:
            try:
                session.get(url, timeout=1)
            except requests.RequestException:
                time.sleep(0.1)
            else:
                return True
    return False


def _as_called() -> str:
    """The command as it was typed, which need not be on the PATH."""
    return sys.argv[0] if Path(sys.argv[0]).name == "country-config" else "country-config"
