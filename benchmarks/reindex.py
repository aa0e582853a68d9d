"""How fast records are written for statistics: over HTTP, by the command line, and by a bare COPY of the same rows.

`python -m benchmarks.reindex`: batches of 300 events of 8 actions, 11 KB each, on PostgreSQL. The server is gunicorn
with one process, pinned to one core; the client and PostgreSQL have the other. Rounds take turns, each with records of
its own; the ratio to the bare COPY, which has nothing to read and nothing to make, is what counts.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
import requests

from app.access import development
from app.analytics.bulk import copy_text
from app.analytics.marking import Marking, columns_of
from app.analytics.rows import COLUMNS, event_rows
from app.analytics.tables import prepare
from app.database.engine import Database
from app.records.schema import event_document
from benchmarks.receive import _cores, _postgresql, _served
from benchmarks.records_of_country import MARKED, batch

ROOT = Path(__file__).parents[1]
BATCH = 300


@dataclass(frozen=True)
class Round:
    """Events a second, and µs of CPU that our own process takes for one."""

    rate: float
    cpu: float = float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--batches", type=int, default=20, help="of each round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cores = _cores()
        os.sched_setaffinity(0, {cores[-1]})  # and PostgreSQL, which we start
        url = stack.enter_context(_postgresql(scratch))
        country = scratch / "country"
        country.mkdir()
        (country / "rules.py").write_text(f"from app.country import analytics\nanalytics('birth', fields={MARKED})\n")
        environ = {
            "APP_ENV": "test",
            "INSTANCE_DIR": str(scratch),
            "DATABASE_URL": f"sqlite:///{scratch / 'main.db'}",
            "ANALYTICS_DATABASE_URL": url,
            "COUNTRY_DIR": str(country),
            "LOG_LEVEL": "warning",
        }
        _bare_table(url)
        port = stack.enter_context(_served("wsgi:app", environ, "-c", "python:app.cli.gunicorn_config"))
        token = development.sign(scratch, scope=["type=record.reindex"], lifetime=3600)
        rounds: dict[str, list[Round]] = {"bare COPY": [], "over HTTP": [], "command line": []}
        first = 0
        for _ in range(options.rounds):
            batches = [batch(first + number * BATCH) for number in range(options.batches)]
            first += options.batches * BATCH
            rounds["bare COPY"].append(_copied(url, batches))
            rounds["over HTTP"].append(_posted(port, token, batches))
            batches = [batch(first + number * BATCH) for number in range(4 * options.batches)]
            first += 4 * options.batches * BATCH
            rounds["command line"].append(_commanded(environ, scratch / "records.jsonl", batches, cores[0]))
        _print(rounds)


def _print(rounds: dict[str, list[Round]]) -> None:
    base = statistics.median(one.rate for one in rounds["bare COPY"])
    print(f"{'':16}{'events/s':>10}{'CPU µs/event':>14}{'ratio':>8}")
    for name, done in rounds.items():
        rate, cpu = statistics.median(one.rate for one in done), statistics.median(one.cpu for one in done)
        print(f"{name:16}{rate:10.0f}{cpu:14.0f}{rate / base:8.2f}")


def _bare_table(url: str) -> None:
    """The table again, with its indexes, for the bare COPY."""
    database = Database(url)
    prepare(database)
    database.close()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE bare (LIKE analytics.event_actions INCLUDING ALL)")


def _copied(url: str, batches: list[list[bytes]]) -> Round:
    columns = columns_of(frozenset(MARKED))
    marking = Marking(columns, columns)
    texts = [
        "".join(copy_text(event_rows(event_document(_parsed(item)), marking).rows) for item in items)
        for items in batches
    ]
    with psycopg.connect(url) as connection:
        began = time.perf_counter()
        for text in texts:
            with connection.cursor() as cursor, connection.transaction():
                statement = f"COPY bare ({', '.join(COLUMNS)}) FROM STDIN WITH (NULL E'\\x02')"
                with cursor.copy(statement) as copy:
                    copy.write(text)
            connection.commit()
        return Round(len(batches) * BATCH / (time.perf_counter() - began))


def _parsed(item: bytes) -> object:
    import msgspec

    return msgspec.json.decode(item)


def _posted(port: int, token: str, batches: list[list[bytes]]) -> Round:
    """One after the other, each over a connection of its own, as core sends them."""
    bodies = [b"[" + b",".join(items) + b"]" for items in batches]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Connection": "close"}
    server = _process_at(port)
    cpu, began = _cpu_of(server), time.perf_counter()
    for body in bodies:
        answer = requests.post(f"http://127.0.0.1:{port}/reindex", data=body, headers=headers, timeout=60)
        assert answer.json()["written"] == BATCH, answer.text[:500]
    taken = time.perf_counter() - began
    events = len(batches) * BATCH
    return Round(events / taken, (_cpu_of(server) - cpu) / events * 1e6)


def _commanded(environ: dict[str, str], path: Path, batches: list[list[bytes]], core: int) -> Round:
    path.write_bytes(b"\n".join(item for items in batches for item in items) + b"\n")
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "app.cli", "analytics", "reindex", str(path), "--restart"],
        env=os.environ | environ,
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    taken, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    events = len(batches) * BATCH
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Round(events / taken, cpu / events * 1e6)


def _process_at(port: int) -> int:
    """gunicorn's worker: the process that has most time behind it of those that serve the port."""
    candidates = []
    for directory in Path("/proc").iterdir():
        try:
            if directory.name.isdigit() and f"127.0.0.1:{port}".encode() in (directory / "cmdline").read_bytes():
                candidates.append(int(directory.name))
        except OSError:
            continue
    return max(candidates)


def _cpu_of(process: int) -> float:
    """Seconds."""
    fields = (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
