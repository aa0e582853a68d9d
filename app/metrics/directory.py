"""The directory in which the processes of one start keep their figures: whatever kills one of them, they stay.

It is fresh for each start, so that nothing of an earlier one is added up. Its path is in the environment, by the
variable that prometheus_client reads; a process that is started with it belongs to whoever has set it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

log = structlog.get_logger()

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_IN_USE = "in-use"  # locked by all who made the directory or were started with it
_held: list[int] = []  # open files: a lock ends with the process, and before it where its file is closed


def given() -> Path | None:
    """The directory that this process belongs to, if any."""
    return Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None


def share(instance_dir: Path) -> None:
    """Have this process and all that it starts keep their figures together.

    Where `instance_dir` cannot be written to, that is in the system's directory for temporary files, and where that
    cannot be either, each process keeps its own to itself.
    """
    directory = given()
    try:
        if directory is None:
            os.environ[VARIABLE] = str(_made(instance_dir / "metrics"))
        else:
            directory.mkdir(parents=True, exist_ok=True)
            _hold(directory)
    except OSError as error:
        log.error("metrics.not_shared", reason=str(error), advice="make INSTANCE_DIR writable, and see to its space")


def _made(base: Path) -> Path:
    try:
        base.mkdir(parents=True, exist_ok=True)
        with _alone(base):
            siblings = _siblings()
            _sweep(base, siblings)
            return _held_from_the_start(base, siblings)
    except OSError as error:
        log.warning("metrics.elsewhere", reason=str(error), advice="make INSTANCE_DIR writable, and see to its space")
        return _held_from_the_start(Path(tempfile.gettempdir()), None)


def _held_from_the_start(base: Path, name: str | None) -> Path:
    if name is None:
        directory = Path(tempfile.mkdtemp(dir=base, prefix=f"country-config-{os.getpid()}-"))
    else:
        directory = base / name
        directory.mkdir(mode=0o700, exist_ok=True)
    _hold(directory)
    return directory


def _siblings() -> str | None:
    """The name of what the processes of one `gunicorn wsgi:app` share: their parent, which sets up nothing for them."""
    if not os.environ.get("SERVER_SOFTWARE", "").startswith("gunicorn"):
        return None
    return f"gunicorn-{os.getppid()}-{_started(os.getppid())}"


def _started(pid: int) -> str:
    """When a process was started, in ticks since boot (proc(5)), since its number comes again; 0 without /proc."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return "0"


@contextmanager
def _alone(base: Path) -> Iterator[None]:
    with (base / "lock").open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        yield


def _hold(directory: Path) -> None:
    file = os.open(directory / _IN_USE, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.lockf(file, fcntl.LOCK_SH)
    _held.append(file)


def _sweep(base: Path, ours: str | None) -> None:
    """Remove what earlier starts have left behind."""
    for directory in base.iterdir():
        if directory.is_dir() and directory.name != ours and not _is_in_use(directory):
            shutil.rmtree(directory, ignore_errors=True)  # the next start tries again


def _is_in_use(directory: Path) -> bool:
    try:
        with (directory / _IN_USE).open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:  # killed while it was made
        return False
    except OSError:
        return True
    return False
