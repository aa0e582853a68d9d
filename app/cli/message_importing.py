"""`country-config messages import`: the messages of a country configuration in TypeScript, as ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from app import country
from app.cli.tables import print_table
from app.notifications.import_sources import NoSources, Sources, find
from app.notifications.importing import Status, Taken, known_variables, take_over
from app.triggers.catalogue import trigger_types
from app.triggers.rehearsal import samples


@click.command("import")
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="SRC")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="COUNTRY_DIR",
    show_envvar=True,
    required=True,
    metavar="DIR",
    help="The country's directory; made where it is not there.",
)
@click.option("--force", is_flag=True, help="Write over files that are there.")
def import_(source: Path, into: Path, force: bool) -> None:
    """Take over the e-mail templates (Handlebars) and the notification.csv of a country configuration in TypeScript.

    SRC is its directory, or one below it. A file with anything in it that messages do not know is left out, and said
    with its line; the others are written. Exits 1 where a file is left out.
    """
    try:
        sources = find(source)
    except NoSources as error:
        raise click.ClickException(str(error)) from None
    _show_found(sources, source)
    known = known_variables(samples(trigger_types(country.Country()).values()))
    taken = list(take_over(sources, into, known, force=force))
    _show(taken, sources, into)
    sys.exit(any(one.status is Status.LEFT for one in taken))


def _show_found(sources: Sources, source: Path) -> None:
    none = f"none below {_shown(source)}"
    templates = f"{len(sources.templates)} in {_shown(sources.root)}" if sources.root else none
    click.echo(f"E-mail templates: {templates}")
    click.echo(f"Texts of SMS: {_shown(sources.wording) if sources.wording else none}\n")


def _show(taken: Sequence[Taken], sources: Sources, into: Path) -> None:
    rows = [
        row for one in sorted(taken, key=lambda one: one.status is Status.LEFT) for row in _rows(one, sources, into)
    ]
    print_table(["", "File", "Line", "Column", "What", "How to mend it"], rows)
    counted = ", ".join(f"{sum(one.status is status for one in taken)} {status}" for status in Status)
    click.echo(f"\n{_shown(into)}: {counted}")
    click.echo("Subjects are not in the templates but in code: set them as rows such as user-created.subject.")
    click.echo("A template is for all languages; for one alone, name it by that language: user-created.fr.html")
    click.echo(f"What is there now: country-config messages preview {_shown(into)}")


def _rows(taken: Taken, sources: Sources, into: Path) -> Iterator[Sequence[str]]:
    is_template = sources.root is not None and taken.source in sources.templates
    file = str(taken.source.relative_to(sources.root)) if is_template and sources.root else taken.source.name
    if taken.status is not Status.LEFT and taken.target is not None:
        yield taken.status, file, "", "", f"is {taken.target.relative_to(into)}", ""
    for said in taken.said:
        mark = taken.status if taken.status is Status.LEFT else "note"
        yield mark, file, str(said.line or ""), str(said.column or ""), said.what, said.cure


def _shown(path: Path) -> str:
    """Relative to where one is, where that is shorter."""
    return min(str(path), os.path.relpath(path), key=len)
