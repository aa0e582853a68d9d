"""`country-config web`, `worker`, and `serve`, which is both."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import requests
import structlog
from prometheus_client import CollectorRegistry

from app import logs
from app.access.networks import Callers
from app.cli.samples import example_curl
from app.cli.supervisor import BadStart, Supervisor
from app.composition.messages import stop_if_messages_are_broken
from app.composition.worker import create_worker, create_worker_metrics
from app.database import schema
from app.database.engine import Database
from app.metrics import directory, sharing
from app.metrics.server import serving
from app.settings import AppEnv, Settings

_CHECKOUT = Path(__file__).parents[2]
_LONGEST_START = 60.0

log = structlog.get_logger()


@click.command()
@click.option("--messages-are-checked", hidden=True, is_flag=True)  # by `serve`
def web(messages_are_checked: bool) -> None:
    """Take triggers, over HTTP (gunicorn). Refuses a database with an old schema."""
    settings = Settings.from_env()
    logs.configure(settings)
    _refuse_old_schema(settings)
    if not messages_are_checked:
        stop_if_messages_are_broken(settings)
    _refuse_taken_port(settings.host, settings.port, "COUNTRY_CONFIG_HOST and COUNTRY_CONFIG_PORT")
    gunicorn = [sys.executable, "-m", "gunicorn", "--pythonpath", str(_CHECKOUT)]
    os.execv(sys.executable, [*gunicorn, "-c", "python:app.cli.gunicorn_config", "wsgi:app"])  # noqa: S606


@click.command()
def worker() -> None:
    """Deliver what is owed. Any number may run beside each other. Refuses a database with an old schema."""
    settings = Settings.from_env()
    logs.configure(settings)
    _refuse_old_schema(settings)
    sharing.join()
    counted = CollectorRegistry()
    stop_if_messages_are_broken(settings)
    running = create_worker(settings, counted)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: running.stop())
    with _own_metrics(settings, counted):
        log.info("worker.started")
        running.run()
    running.close()
    log.info("worker.stopped")


@click.command()
def serve() -> None:
    """Migrate the database, then run web and worker together: all that one machine needs."""
    settings = Settings.from_env()
    logs.configure(settings)
    _refuse_taken_port(settings.host, settings.port, "COUNTRY_CONFIG_HOST and COUNTRY_CONFIG_PORT")
    stop_if_messages_are_broken(settings)  # before anything listens; the worker does it again whenever it is restarted
    database = Database(settings.database_url)
    schema.upgrade(database)
    database.close()
    directory.share(settings.instance_dir)
    ours = [sys.executable, "-m", "app.cli"]
    threading.Thread(target=_say_when_ready, args=(settings,), daemon=True).start()
    try:
        Supervisor({"web": [*ours, "web", "--messages-are-checked"], "worker": [*ours, "worker"]}).run()
    except BadStart as error:
        raise click.ClickException(f"{error}: the lines above say why.") from None


def _refuse_old_schema(settings: Settings) -> None:
    database = Database(settings.database_url)
    schema.check(database)
    database.close()


@contextmanager
def _own_metrics(settings: Settings, counted: CollectorRegistry) -> Iterator[None]:
    """Where nobody else shows what this worker counts, and a port is set."""
    port = settings.worker_metrics_port
    if port is None or sharing.is_shared():
        yield
        return
    _refuse_taken_port(settings.host, port, "WORKER_METRICS_PORT")
    is_trusted = Callers(settings.trusted_networks, settings.trusted_proxies).is_trusted
    with serving(create_worker_metrics(settings, counted), settings.host, port, is_trusted):
        yield


def _refuse_taken_port(host: str, port: int, names: str) -> None:
    """Said at once, with the settings that decide; gunicorn alone would try for seconds first."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise click.ClickException(
                f"Cannot listen on {host}, port {port}: {error.strerror}. Set {names}, or stop what uses the port."
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
