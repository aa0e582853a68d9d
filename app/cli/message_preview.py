"""`country-config messages preview`: the page of the messages alone, for those who write them."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import click
from cryptography.fernet import Fernet
from werkzeug.serving import WSGIRequestHandler, make_server

from app import logs
from app.composition.messages import create_preview
from app.settings import Settings

# What messages are made with. All else, right or wrong, is not looked at.
_READ = (
    "APPLICATION_NAME",
    "CLIENT_APP_URL",
    "COUNTRY_CONFIG_URL",
    "COUNTRY_DIR",
    "DEFAULT_LANGUAGE",
    "EMAIL_LOGO",
    "INFORMANT_NOTIFICATION_DELIVERY_METHOD",
    "INSTANCE_DIR",
    "LOGIN_URL",
    "NOTIFICATION_LANGUAGES",
    "OTP_TTL",
    "RECOVERY_LINK_TTL",
    "USER_NOTIFICATION_DELIVERY_METHOD",
)


@click.command()
@click.argument(
    "directory", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="[DIR]"
)
@click.option("--port", default=3041, show_default=True, type=click.IntRange(0, 65_535), help="0 for any that is free.")
def preview(directory: Path | None, port: int) -> None:
    """Show every message in a browser, and show it again whenever a file is saved. Ctrl-C ends it.

    DIR is a country's directory; without it, COUNTRY_DIR. No database is asked, and nothing is sent.
    """
    settings = _settings(directory)
    logs.configure(settings)
    app = create_preview(settings)
    with _listening(port) as listening:
        server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet, fd=listening.fileno())
        click.echo(f"The messages of {settings.country_dir or 'the server itself'} are on")
        click.echo(f"  http://localhost:{listening.getsockname()[1]}/messages")
        click.echo("Save a file, and the page follows. Ctrl-C ends it.")
        server.serve_forever()


def _settings(directory: Path | None) -> Settings:
    """Raises InvalidSettings."""
    given = {name: os.environ[name] for name in _READ if name in os.environ}
    if directory is not None:
        given["COUNTRY_DIR"] = str(directory)
    settings = Settings.from_env({**given, "APP_ENV": "development", "SECRET_KEY": Fernet.generate_key().decode()})
    if settings.country_dir is not None and not settings.country_dir.is_dir():
        raise click.ClickException(f"COUNTRY_DIR is {settings.country_dir}, which is not a directory.")
    return settings


def _listening(port: int) -> socket.socket:
    """Only this machine can call it."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise click.ClickException(
            f"Cannot listen on port {port}: {error.strerror}. Choose another one with --port, or stop what uses it."
        ) from None


class _Quiet(WSGIRequestHandler):
    """An open page asks every second whether a file has changed: nobody wants to read that."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass
