"""`country-config messages`: the words and the look of messages."""

from __future__ import annotations

import click

from app.cli.message_checking import check
from app.cli.message_importing import import_
from app.cli.message_preview import preview
from app.cli.message_sending import send


@click.group()
def messages() -> None:
    """Messages: take them over, check them, look at them, send one to try it."""


for command in (check, import_, preview, send):
    messages.add_command(command)
