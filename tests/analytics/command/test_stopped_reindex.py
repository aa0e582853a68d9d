"""A reindex that cannot go on says why in one message, and goes on where it was."""

from __future__ import annotations

import gzip
import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from app.analytics.files import LONGEST_LINE
from app.analytics.store import AnalyticsStore
from app.database.engine import Database
from tests.analytics.command.conftest import BIRTHS, Run, lines
from tests.analytics.conftest import count
from tests.cli.processes import LONG_ENOUGH, Command, is_alive, wait_for

MakeStore = Callable[[str], AnalyticsStore]


def test_a_broken_file_stops_no_other_and_is_gone_on_with_when_it_is_mended(
    run: Run, kept: AnalyticsStore, tmp_path: Path
) -> None:
    records = tmp_path / "records"
    records.mkdir()
    (records / "a.jsonl").write_bytes(lines(BIRTHS[:3]))
    broken = records / "b.jsonl.gz"
    broken.write_bytes(gzip.compress(lines(BIRTHS[3:6]) + b"\n" * 5_000_000)[:-20])
    (records / "c.jsonl").write_bytes(lines(BIRTHS[6:8]))
    stopped = run("reindex", str(records))
    assert stopped.exit_code == 1
    assert stopped.stdout.splitlines() == [
        f"{broken} cannot be read to its end: Compressed file ended before the end-of-stream marker was reached",
        "8 events received, 8 written.",
        "Files not read to their end: 1. Mend what is named above, and run this again.",
    ]
    broken.write_bytes(gzip.compress(lines(BIRTHS[3:6])))
    went_on = run("reindex", str(records))
    assert "Going on after 8 events" in went_on.stderr
    assert "8 events received, 8 written." in went_on.stdout
    again = run("reindex", str(records))
    assert "Going on" not in again.stderr
    assert "8 events received, 8 written." in again.stdout
    assert count(kept, "event_versions") == 8


def test_a_damaged_file_is_said_in_one_message(run: Run, kept: AnalyticsStore, tmp_path: Path) -> None:
    records = tmp_path / "records"
    records.mkdir()
    (records / "a.jsonl").write_bytes(lines(BIRTHS[:3]))
    packed = bytearray(gzip.compress(lines(BIRTHS[3:6])))
    packed[50:150] = b"\xff" * 100
    (records / "b.jsonl.gz").write_bytes(packed)
    stopped = run("reindex", str(records))
    assert stopped.exit_code == 1
    assert "b.jsonl.gz cannot be read to its end" in stopped.stdout.splitlines()[0]
    assert stopped.stdout.splitlines()[1] == "3 events received, 3 written."
    (records / "b.jsonl.gz").write_bytes(gzip.compress(lines(BIRTHS[3:6])))
    assert "6 events received, 6 written." in run("reindex", str(records)).stdout
    assert count(kept, "event_versions") == 6


@pytest.mark.parametrize("change", ["database", "marks", "figures", "emptied"])
def test_one_that_goes_on_elsewhere_or_by_other_marks_is_begun_anew(
    run: Run, environ: dict[str, str], make_store: MakeStore, country: Path, tmp_path: Path, change: str
) -> None:
    records = tmp_path / "records"
    records.mkdir()
    (records / "a.jsonl").write_bytes(lines(BIRTHS[:3]))
    (records / "b.jsonl.gz").write_bytes(b"no gzip")
    assert run("reindex", str(records)).exit_code == 1
    rules = (country / "rules.py").read_text()
    if change == "database":
        environ["ANALYTICS_DATABASE_URL"] = f"sqlite:///{tmp_path / 'other.db'}"
    elif change == "marks":
        (country / "rules.py").write_text(rules.replace("child.dob", "child.gender"))
    elif change == "figures":
        (country / "rules.py").write_text(rules + "# a function is another\n")
    else:
        database = Database(environ["ANALYTICS_DATABASE_URL"])
        with database.transaction() as connection:
            connection.execute(text("DELETE FROM event_actions"))
            connection.execute(text("DELETE FROM event_versions"))
        database.close()
        (tmp_path / "meanwhile.jsonl").write_bytes(lines(BIRTHS[5:6]))
        run("reindex", str(tmp_path / "meanwhile.jsonl"))  # as the outbox writes what happens
    (records / "b.jsonl.gz").unlink()
    anew = run("reindex", str(records))
    assert anew.stderr.splitlines() == [
        "Begun anew: the database, or what is marked, is not that of the run that was stopped."
    ]
    assert anew.stdout.splitlines()[0] == "3 events received, 3 written."
    assert count(make_store(environ["ANALYTICS_DATABASE_URL"]), "event_versions") == (4 if change == "emptied" else 3)


def test_a_file_of_the_same_size_that_is_another_is_begun_anew(run: Run, tmp_path: Path) -> None:
    records = tmp_path / "records"
    records.mkdir()
    (records / "a.jsonl").write_bytes(lines([BIRTHS[0], {"id": 1}]))
    (records / "b.jsonl").write_bytes(lines([BIRTHS[1]]))
    (records / "c.jsonl.gz").write_bytes(b"no gzip")
    assert run("reindex", str(records)).exit_code == 1
    size = (records / "a.jsonl").stat().st_size
    mended = json.dumps(BIRTHS[0]).encode().ljust(size - 1) + b"\n"
    (records / "a.jsonl").write_bytes(mended)
    os.utime(records / "a.jsonl", ns=(0, 1_000_000_000))
    (records / "c.jsonl.gz").unlink()
    done = run("reindex", str(records))
    assert "Going on after 3 events" in done.stderr
    assert done.stdout == "2 events received, 2 written.\n"
    assert done.exit_code == 0


@pytest.mark.parametrize(
    "fatal",
    [
        "def fatal(action, declaration): os._exit(9)",
        "fatal = lambda action, declaration: {}\nif multiprocessing.parent_process() is not None: os._exit(9)",
    ],
    ids=["while it writes", "at its start"],
)
def test_a_worker_that_ends_is_said_and_the_next_run_goes_on(
    run_workers: Run, kept: AnalyticsStore, country: Path, tmp_path: Path, fatal: str
) -> None:
    file = tmp_path / "records.jsonl"
    file.write_bytes(lines(BIRTHS))
    kept.layout()
    rules = (country / "rules.py").read_text()
    (country / "rules.py").write_text(
        f"import multiprocessing, os\nfrom app.country import analytics\n{fatal}\n"
        "analytics('birth', fields=['child.dob'], computed=fatal)\n"
    )
    stopped = run_workers("reindex", str(file), "--workers", "2")
    assert stopped.exit_code == 1
    assert "A process that writes has ended, or could not start" in stopped.stderr
    assert stopped.exception is None or isinstance(stopped.exception, SystemExit)
    (country / "rules.py").write_text(rules)
    done = run_workers("reindex", str(file), "--workers", "2")
    assert done.exit_code == 0, done.output
    assert count(kept, "event_versions") == len(BIRTHS)


def test_its_processes_end_with_the_one_that_is_killed(environ: dict[str, str], country: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    pids.mkdir()
    with (country / "rules.py").open("a") as rules:
        rules.write(
            "import multiprocessing, os, pathlib\n"
            "if multiprocessing.parent_process() is not None:\n"
            f"    pathlib.Path({str(pids)!r}, str(os.getpid())).touch()\n"
        )
    (tmp_path / "records.jsonl").write_bytes(lines(BIRTHS) * 100)
    command = Command(
        ["analytics", "reindex", str(tmp_path / "records.jsonl"), "--workers", "2"], environ, tmp_path / "said"
    )
    try:
        wait_for(lambda: list(pids.iterdir()))
        command.process.kill()
        command.process.wait(LONG_ENOUGH)
        wait_for(lambda: not any(is_alive(int(pid.name)) for pid in pids.iterdir()))
    finally:
        command.end()


class Hanging:
    """A command whose figures are not made before it is let go."""

    def __init__(self, environ: dict[str, str], country: Path, directory: Path) -> None:
        self.environ = environ | {"DECISION_TIMEOUT": "60"}
        self.began, self.hang, self.said = directory / "began", directory / "hang", directory / "said"
        self.records = directory / "records.jsonl"
        self.records.write_bytes(lines(BIRTHS) * 200)
        (country / "rules.py").write_text(
            "import pathlib, time\nfrom app.country import analytics\n"
            "def wait(action, declaration):\n"
            f"    pathlib.Path({str(self.began)!r}).touch()\n"
            f"    while pathlib.Path({str(self.hang)!r}).exists():\n"
            "        time.sleep(0.01)\n"
            "    return {}\n"
            "analytics('birth', fields=['child.dob'], computed=wait)\n"
        )

    @contextmanager
    def running(self, *options: str) -> Iterator[Command]:
        """In the middle of its first batch."""
        self.began.unlink(missing_ok=True)
        self.hang.touch()
        command = Command(["analytics", "reindex", str(self.records), *options], self.environ, self.said)
        try:
            wait_for(self.began.exists)
            yield command
        finally:
            command.end()
            self.hang.unlink(missing_ok=True)


@pytest.fixture
def hanging(environ: dict[str, str], kept: AnalyticsStore, country: Path, tmp_path: Path) -> Hanging:
    kept.layout()
    return Hanging(environ, country, tmp_path)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_one_that_is_interrupted_ends_at_once_and_goes_on(
    hanging: Hanging, run: Run, kept: AnalyticsStore, workers: str
) -> None:
    with hanging.running("--workers", workers) as command:
        os.killpg(command.process.pid, signal.SIGINT)  # as a terminal does it
        assert command.process.wait(LONG_ENOUGH) == 1
        assert command.said == "Error: Stopped. What is written stays; run this again to go on.\n"
    assert f"{len(BIRTHS) * 200:,} events received" in run("reindex", str(hanging.records)).stdout
    assert count(kept, "event_versions") == len(BIRTHS)


def test_a_second_run_at_the_same_files_is_refused(hanging: Hanging, run: Run) -> None:
    with hanging.running():
        second = run("reindex", str(hanging.records))
        assert (second.exit_code, second.stdout) == (1, "")
        assert second.stderr == "Error: Another run is at these files: wait for its end, or stop it.\n"


def test_a_restart_that_is_killed_is_not_forgotten(hanging: Hanging, run: Run) -> None:
    hanging.records.unlink()
    records = hanging.records
    records.mkdir()
    (records / "a.jsonl").write_bytes(lines(BIRTHS[:3]))
    (records / "b.jsonl.gz").write_bytes(b"no gzip")
    assert run("reindex", str(records)).exit_code == 1
    with hanging.running("--restart") as command:
        command.kill()
    again = run("reindex", str(records))
    assert again.stderr == ""
    assert again.stdout.splitlines()[1] == "3 events received, 3 written."


def test_marks_that_change_while_it_runs_are_said(
    hanging: Hanging, run: Run, country: Path, kept: AnalyticsStore
) -> None:
    with hanging.running() as command:
        with (country / "rules.py").open("a") as rules:
            rules.write("analytics('death', fields=['deceased.dob'])\n")
        hanging.hang.unlink()
        assert command.process.wait(LONG_ENOUGH) == 1
        assert command.said.splitlines()[-1] == "Error: What is marked has changed while this ran: run it again."
    assert "Going on" not in run("reindex", str(hanging.records)).stderr


def test_a_file_that_is_gone_is_said_in_one_message(run: Run, tmp_path: Path) -> None:
    records = tmp_path / "records"
    records.mkdir()
    (records / "a.jsonl").symlink_to("nowhere")
    stopped = run("reindex", str(records))
    assert stopped.exit_code == 1
    assert stopped.stdout.splitlines()[0] == f"{records / 'a.jsonl'} cannot be read: No such file or directory"


def test_a_line_that_is_too_long_is_said_by_its_number_also_where_the_run_goes_on(run: Run, tmp_path: Path) -> None:
    records = tmp_path / "records"
    records.mkdir()
    (records / "a.jsonl").write_bytes(
        lines([BIRTHS[0]]) + b"\n" + b"x" * (LONGEST_LINE + 1) + b"\n" + lines([BIRTHS[1]])
    )
    (records / "b.jsonl.gz").write_bytes(b"no gzip")
    stopped = run("reindex", str(records))
    assert f"{records / 'a.jsonl'}, line 3: longer than 16,777,216 bytes" in stopped.stdout
    (records / "b.jsonl.gz").unlink()
    done = run("reindex", str(records))
    assert done.stdout == "3 events received, 2 written.\n1 skipped: could not be read.\n"
    assert done.exit_code == 1
