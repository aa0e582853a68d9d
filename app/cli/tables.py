"""Tables on stdout: whole lines, never cut or wrapped, so that ids can be copied and output piped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDTH = 2_000


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns as wide as what is in them. Without a header, an empty sequence, rows alone."""
    table = Table(*header, box=None, pad_edge=False, show_header=bool(header))
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    lines = Console(width=_WIDTH, file=StringIO())
    with lines.capture() as captured:
        lines.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())
