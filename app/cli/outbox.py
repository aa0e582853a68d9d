"""`country-config outbox`: what is owed, and what an operator does about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import Progress

from app.cli.databases import opened, shown_time
from app.cli.tables import print_table
from app.outbox import operations
from app.outbox.operations import Change
from app.outbox.states import State
from app.settings import Settings


@click.group()
def outbox() -> None:
    """What is owed: look at it, retry, cancel, pause."""


@outbox.command("list")
@click.option("--state", "states", multiple=True, type=click.Choice([str(state) for state in State]))
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1))
def list_(states: Sequence[str], limit: int) -> None:
    """The newest deliveries, how many are queued, being sent or failed, and the destinations with trouble."""
    with opened(Settings.from_env()) as database:
        rows = operations.newest(database, [State(state) for state in states], limit)
        counted = operations.counts(database)
        troubled = operations.troubled(database)
    print_table(
        ["Id", "Created (UTC)", "State", "Channel", "Message", "To", "Tries", "Reason"],
        [
            (
                row.id,
                shown_time(row.created_at),
                row.state,
                row.channel,
                row.message or "",
                row.recipient or "",
                str(row.attempts),
                row.reason or "",
            )
            for row in rows
        ],
    )
    summary = ", ".join(f"{counted[state]} {state}" for state in State if state in counted)
    click.echo(f"\nIn all: {summary or 'nothing queued or failed'}.")
    for destination in troubled:
        if destination.paused:
            click.echo(f"{destination.name} is paused. To go on: country-config outbox resume {destination.name}")
        elif destination.open_for is not None and destination.open_for > 0:
            click.echo(
                f"{destination.name} is down ({destination.failures} failures in a row), tried again in "
                f"{destination.open_for:.0f} s. Mended? country-config outbox retry --all"
            )


@outbox.command()
@click.argument("delivery_id", metavar="ID")
def show(delivery_id: str) -> None:
    """One delivery: where it comes from, and what came of each try. Shows nothing that is secret."""
    with opened(Settings.from_env()) as database:
        found = operations.show(database, delivery_id)
    if found is None:
        raise click.ClickException(f"There is no delivery {delivery_id}.")
    row, origin = found.delivery, found.trigger
    facts = {
        "Delivery": row.id,
        "State": row.state,
        "Reason": row.reason,
        "Message": row.message,
        "Channel": f"{row.channel}, through {row.destination}",
        "To": row.recipient,
        "Created": shown_time(row.created_at),
        "Due": shown_time(row.due_at) if row.state == State.QUEUED else None,
        "Expires": shown_time(row.expires_at),
        "Ended": shown_time(row.ended_at),
        "Provider's id": row.provider_id,
        "Trigger": f"{origin.path}, received {shown_time(origin.received_at)}, id {origin.id}",
        "Request": origin.request_id,
        "Secrets": f"erased {shown_time(origin.erased_at)}"
        if origin.erased_at
        else ("kept" if origin.secrets else None),
    }
    print_table([], [(name, value) for name, value in facts.items() if value])
    if found.attempts:
        click.echo()
        print_table(
            ["Try", "Started (UTC)", "Seconds", "Outcome", "Answer"],
            [
                (
                    str(attempt.number),
                    shown_time(attempt.started_at),
                    "" if attempt.duration is None else f"{attempt.duration:.2f}",
                    attempt.outcome,
                    attempt.answer or "",
                )
                for attempt in found.attempts
            ],
        )


@outbox.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="All that waits or has failed, but for e-mails in whose place an SMS was owed.",
)
def retry(ids: Sequence[str], everything: bool) -> None:
    """Make due now what waits, has failed, or sits behind an open circuit; not what is being sent.

    An e-mail that failed, and in whose place an SMS was owed, is retried by its id alone: --all would have a person
    get both.
    """
    if bool(ids) == everything:
        raise click.UsageError("Name the deliveries by their ids, or say --all.")
    with opened(Settings.from_env()) as database:
        if everything:
            with _progress() as report:
                change = operations.retry(database, None, report=report)
        else:
            change = operations.retry(database, ids)
    _report(change, "due now")


@outbox.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
def cancel(ids: Sequence[str]) -> None:
    """Drop what waits or has failed, for good."""
    with opened(Settings.from_env()) as database:
        _report(operations.cancel(database, ids), "cancelled")


@outbox.command()
@click.argument("destination")
def pause(destination: str) -> None:
    """Send nothing to a destination (smtp, sms:..., plan) until it is resumed. What comes in is kept."""
    _set_paused(destination, True, "paused; what is owed to it waits")


@outbox.command()
@click.argument("destination")
def resume(destination: str) -> None:
    """Send to a destination again."""
    _set_paused(destination, False, "resumed")


def _set_paused(destination: str, paused: bool, done: str) -> None:
    with opened(Settings.from_env()) as database:
        if not operations.set_paused(database, destination, paused):
            known = ", ".join(operations.known_destinations(database)) or "none yet"
            raise click.ClickException(f"There is no destination {destination}. Those there are: {known}.")
    click.echo(f"{destination} is {done}.")


@contextmanager
def _progress() -> Iterator[operations.Report]:
    """A bar on stderr, where that is a terminal."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("Retrying", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _report(change: Change, done: str) -> None:
    click.echo(f"{change.count} {'delivery is' if change.count == 1 else 'deliveries are'} {done}.")
    for name in change.still_paused:
        click.echo(f"{name} is paused, so nothing goes out to it. To go on: country-config outbox resume {name}")
    for delivery_id, why in change.refused.items():
        click.echo(f"{delivery_id} was left alone: {why}.", err=True)
    if change.refused:
        raise SystemExit(1)
