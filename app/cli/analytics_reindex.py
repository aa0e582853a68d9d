"""`country-config analytics reindex`: records from files into the tables for statistics."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from app import country, logs
from app.analytics.files import LONGEST_LINE, SUFFIXES, Batch, UnreadableFile, batches, files_in
from app.analytics.marking import MarkingUnavailable
from app.analytics.progress import FileProgress
from app.analytics.progress import Progress as Reached
from app.analytics.reindexing import Reindexing, Report
from app.analytics.tables import Unusable
from app.cli.analytics_resuming import alone, going_on, kept_at, made_for
from app.cli.analytics_workers import reports
from app.composition.analytics import analytics_of, markings_of
from app.composition.configurations import event_configurations
from app.database.engine import DatabaseAway
from app.settings import Settings

_BATCH = 300
_KEPT_EVERY = 1.0  # seconds
_LONG_TO_UNPACK = 2**30  # bytes
_UNWRITTEN = "could not be written"
_UNREAD = "could not be read"
_BROKEN = (
    "A process that writes has ended, or could not start: is there too little memory for --workers? What is written "
    "stays; run this again to go on."
)


@click.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path), metavar="FILE|DIR")
@click.option("--workers", type=click.IntRange(1, 8), default=1, show_default=True, help="Processes that do it.")
@click.option("--restart", is_flag=True, help="From the start, where an earlier run was stopped.")
def reindex(source: Path, workers: int, restart: bool) -> None:
    """Write records from a file, or from all *.jsonl and *.ndjson of a directory, also *.gz: one event document a line.

    One that was stopped goes on where it was, or begins anew where the database or what is marked is another. Events
    that cannot be written and files that cannot be read are printed, with the reason; exits 1 where there are any, and
    where the marks have changed by the end. What is not marked for analytics, or older than what is stored, is only
    counted.
    """
    settings = Settings.from_env()
    logs.configure(settings)
    files = files_in(source)
    if not files:
        raise click.ClickException(f"{source} holds no file that ends in {', '.join(SUFFIXES)}")
    rules = country.load(settings.country_dir)
    same = event_configurations(settings, fresh_for=math.inf)  # by the same marks from the first to the last
    analytics = analytics_of(settings, rules, same)
    store = analytics.store
    if store is None:
        raise click.ClickException("ANALYTICS_DATABASE_URL is not set: it says where the records are written to")
    kept = kept_at(settings, source)
    try:
        with alone(kept):
            marks = made_for(settings, analytics.markings, store)
            run = _Run(Reached(marks) if restart else going_on(store, kept, marks), kept)
            run.write(files, analytics.reindexing, workers)
            now_marked = markings_of(settings, country.load(settings.country_dir), event_configurations(settings))
            run.end(has_changed=made_for(settings, now_marked, store) != marks)
    except (MarkingUnavailable, Unusable) as error:
        raise click.ClickException(str(error)) from None
    except DatabaseAway as error:
        raise click.ClickException(f"The database of ANALYTICS_DATABASE_URL does not answer: {error}") from None
    except BrokenProcessPool:
        raise click.ClickException(_BROKEN) from None
    except KeyboardInterrupt:
        raise click.ClickException("Stopped. What is written stays; run this again to go on.") from None
    finally:
        analytics.close()


class _Run:
    def __init__(self, reached: Reached, kept: Path) -> None:
        self.reached = reached
        self.kept = kept
        self.broken = 0

    def write(self, files: Sequence[Path], reindexing: Reindexing, workers: int) -> None:
        """Raises what stops it; how far it came is kept."""
        of_file = self._of_file(files)
        self.reached.keep(self.kept)  # whatever was kept before holds no more, should this one be killed
        try:
            with reports(reindexing, workers) as reports_of, _bar(of_file) as show:
                kept_at = time.monotonic()
                for batch, report in reports_of(self._unread(of_file)):
                    _count(batch, report, of_file[batch.file])
                    self.reached.last = report.last or self.reached.last
                    show(batch, self.reached)
                    if time.monotonic() - kept_at > _KEPT_EVERY:
                        self.reached.keep(self.kept)
                        kept_at = time.monotonic()
        finally:
            self.reached.keep(self.kept)

    def end(self, *, has_changed: bool) -> None:
        """Say what came of it, and exit. `has_changed`: the database is the same, and what is marked is not."""
        _say(self.reached)
        if has_changed:
            self.kept.unlink()
            raise click.ClickException("What is marked has changed while this ran: run it again.")
        if self.broken:
            click.echo(f"Files not read to their end: {self.broken:,}. Mend what is named above, and run this again.")
        else:
            self.kept.unlink()
        skipped = self.reached.skipped
        sys.exit(bool(self.broken or skipped[_UNWRITTEN] or skipped[_UNREAD]))

    def _of_file(self, files: Sequence[Path]) -> dict[Path, FileProgress]:
        found = {}
        for file in files:
            with self._telling_broken():
                found[file] = self.reached.of(file)
        self.reached.files = {str(file): progress for file, progress in found.items()}  # without those that are gone
        return found

    def _unread(self, of_file: Mapping[Path, FileProgress]) -> Iterator[Batch]:
        for file, progress in of_file.items():
            if file.suffix == ".gz" and progress.offset > _LONG_TO_UNPACK:
                click.echo(f"Unpacking {file} up to where it was left: that takes a while.", err=True)
            with self._telling_broken():
                yield from batches(file, progress.position, _BATCH)

    @contextmanager
    def _telling_broken(self) -> Iterator[None]:
        """One that cannot be read stops none of the others."""
        try:
            yield
        except UnreadableFile as error:
            click.echo(str(error))
            self.broken += 1


def _count(batch: Batch, report: Report, progress: FileProgress) -> None:
    progress.received += report.received + len(batch.too_long)
    progress.written += report.written
    for line in batch.too_long:
        click.echo(f"{batch.file}, line {line}: longer than {LONGEST_LINE:,} bytes")
        progress.count_skipped(_UNREAD)
    for skipped in report.skipped:
        if skipped.is_alarming:
            line = batch.numbers[skipped.place]
            click.echo(f"{batch.file}, line {line}: {skipped.id or 'no id'}: {skipped.reason}")
        progress.count_skipped(_UNWRITTEN if skipped.is_alarming else skipped.reason)
    progress.reached(batch.end)


def _say(reached: Reached) -> None:
    click.echo(f"{reached.received:,} events received, {reached.written:,} written.")
    for reason, count in sorted(reached.skipped.items()):
        click.echo(f"{count:,} skipped: {reason}.")


@contextmanager
def _bar(of_file: Mapping[Path, FileProgress]) -> Iterator[Callable[[Batch, Reached], None]]:
    """On stderr, and only where somebody looks at it: the part that is done, the rate, and the time that is left."""
    sizes = [progress.size for progress in of_file.values()]
    before = {file: sum(sizes[:place]) for place, file in enumerate(of_file)}
    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[said]}"), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=sum(sizes), said="")
        began: list[tuple[float, int]] = []

        def show(batch: Batch, reached: Reached) -> None:
            began.append((time.monotonic(), reached.received)) if not began else None
            (start, first), now = began[0], time.monotonic()
            rate = (reached.received - first) / (now - start) if now > start else 0.0
            said = f"{reached.received:,} events, {rate:,.0f}/s"
            progress.update(task, completed=before[batch.file] + batch.read, said=said)

        yield show
