"""Figures of several processes as one, whatever ends them: real processes, and the files that they leave."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from app.metrics.directory import VARIABLE
from tests.cli.processes import LONG_ENOUGH

CHECKOUT = Path(__file__).parents[2]


class Counting:
    """A process of tests/metrics/counting.py."""

    def __init__(self, instance_dir: Path, file_size: int | None = None, **environ: str) -> None:
        limit = None if file_size is None else partial(resource.setrlimit, resource.RLIMIT_FSIZE, (file_size,) * 2)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.metrics.counting", str(instance_dir)],
            env={"PATH": os.environ["PATH"], **environ},
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            preexec_fn=limit,  # noqa: PLW1509
            text=True,
        )
        self.directory = Path(self._read())

    def __call__(self, said: object) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{said}\n")
        self.process.stdin.flush()
        return self._read()

    @property
    def total(self) -> float:
        return float(self("?"))

    def kill(self) -> None:
        """kill -9, and nothing is tidied up."""
        self.process.kill()
        self.close()

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(LONG_ENOUGH)

    def _read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


Start = Callable[..., Counting]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a process; with `beside`, one that belongs to another, as a child of the same parent does."""
    started: list[Counting] = []

    def make(beside: Counting | None = None, file_size: int | None = None, **environ: str) -> Counting:
        if beside is not None:
            environ[VARIABLE] = str(beside.directory)
        started.append(Counting(tmp_path / "instance", file_size, **environ))
        return started[-1]

    yield make
    for one in started:
        if one.process.poll() is None:
            one.kill()


def test_each_tells_what_all_have_counted(start: Start) -> None:
    first = start()
    second = start(beside=first)
    first(3)
    second(4)
    assert first.total == second.total == 7


def test_nothing_is_lost_or_doubled_when_processes_are_killed(start: Start) -> None:
    steady = start()
    for _ in range(5):
        killed = start(beside=steady)
        killed(10)
        killed.kill()
    steady(1)
    assert steady.total == 51
    assert len(list(steady.directory.glob("counter_*.db"))) == 2  # of as many as there were at once


def test_the_next_on_a_place_goes_on_where_the_dead_one_was(start: Start) -> None:
    steady = start()
    killed = start(beside=steady)
    killed(10)
    killed.kill()
    following = start(beside=steady)
    assert steady.total == 10
    following(1)
    assert steady.total == 11


def test_a_process_that_was_killed_as_it_began_breaks_no_scrape(start: Start) -> None:
    steady = start()
    steady(2)
    for number in (1, 7):
        (steady.directory / f"counter_{number}.db").touch()
    assert steady.total == 2
    following = start(beside=steady)
    following(3)
    assert steady.total == 5


def test_a_forked_child_counts_for_itself(start: Start) -> None:
    parent = start()
    parent(2)
    for _ in range(3):
        assert parent("fork") == "0"
    parent(2)
    assert parent.total == 7


def test_a_new_start_counts_from_zero_and_removes_what_is_left_of_others(start: Start) -> None:
    dead, living = start(), start()
    dead(5)
    living(7)
    dead.kill()
    new = start()
    assert new.total == 0
    assert not dead.directory.exists()
    living(1)
    assert living.total == 8


def test_a_directory_is_in_use_for_as_long_as_one_of_its_processes_lives(start: Start) -> None:
    first = start()
    second = start(beside=first)
    second(5)
    first.kill()
    start()
    assert second.total == 5


def test_the_processes_of_a_gunicorn_that_nobody_set_up_find_each_other(start: Start) -> None:
    first = start(SERVER_SOFTWARE="gunicorn/27.0.1")
    second = start(SERVER_SOFTWARE="gunicorn/27.0.1")
    first(1)
    second(2)
    assert first.total == second.total == 3


def test_they_meet_elsewhere_where_the_instance_directory_cannot_be_made(start: Start, tmp_path: Path) -> None:
    (tmp_path / "instance").write_text("a file in its place")
    first = start(TMPDIR=str(tmp_path))
    second = start(beside=first)
    first(1)
    second(2)
    assert first.total == 3
    assert first.directory.parent == tmp_path


@pytest.mark.parametrize("is_given", [False, True], ids=["its own directory", "that of another"])
def test_a_process_that_cannot_write_counts_alone(start: Start, is_given: bool) -> None:
    """As on a disk that is full."""
    other = start()
    other(5)
    alone = start(beside=other if is_given else None, file_size=1_000)
    alone(2)
    assert alone.total == 2
    assert other.total == 5


def test_a_directory_that_an_operator_names_is_made(start: Start, tmp_path: Path) -> None:
    named = tmp_path / "named" / "by" / "hand"
    first, second = start(**{VARIABLE: str(named)}), start(**{VARIABLE: str(named)})
    first(1)
    second(2)
    assert first.directory == named
    assert first.total == 3
