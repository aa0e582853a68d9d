"""`/metrics` of real processes: every scrape tells the same, whichever process answers it, and whatever was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from app.settings import Settings
from app.triggers.samples import USER_SAMPLES
from tests.cli.processes import LONG_ENOUGH, Command, answers, children, free_port, kill_family, wait_for
from tests.metrics.scraping import Figures, parsed

CHECKOUT = Path(__file__).parents[2]
SCRAPES = 20

Run = Callable[..., Command]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def environ(make_settings: Callable[..., Settings], sqlite_url: str, port: int) -> dict[str, str]:
    settings = make_settings(DATABASE_URL=sqlite_url)
    return {
        "APP_ENV": "test",
        "DATABASE_URL": sqlite_url,
        "INSTANCE_DIR": str(settings.instance_dir),
        "SECRET_KEY": settings.secret_keys[0],
        "COUNTRY_CONFIG_PORT": str(port),
        "COUNTRY_CONFIG_HOST": "127.0.0.1",
        "WEB_CONCURRENCY": "2",
        "LOG_LEVEL": "warning",
    }


@pytest.fixture
def run(environ: dict[str, str], tmp_path: Path) -> Iterator[Run]:
    started: list[Command] = []

    def start(*arguments: str, **more: str) -> Command:
        started.append(Command(list(arguments), environ | more, tmp_path / f"output-{len(started)}"))
        return started[-1]

    yield start
    for command in started:
        command.end()


def scraped(port: int) -> Figures:
    """One scrape, over a connection of its own."""
    answer = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=LONG_ENOUGH)
    assert answer.status_code == 200, answer.text
    return parsed(answer.text)


def call(port: int, times: int) -> None:
    """That many triggers, over as many connections."""

    def once(_: int) -> int:
        url = f"http://127.0.0.1:{port}/triggers/user/2fa"
        return requests.post(url, json=USER_SAMPLES["2fa"], timeout=LONG_ENOUGH).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(once, range(times))) == {200}


def totals(port: int) -> set[tuple[float | None, float | None]]:
    """What many scrapes tell of the trigger: how many, and how many were measured."""
    scrapes = [scraped(port) for _ in range(SCRAPES)]
    return {
        (
            one.of("triggers_total", trigger="user/2fa", status="200"),
            one.of("trigger_duration_seconds_count", trigger="user/2fa"),
        )
        for one in scrapes
    }


def of_each_process(environ: dict[str, str]) -> list[float]:
    """How many requests each process has counted by itself, where it has counted any."""
    from prometheus_client.multiprocess import MultiProcessCollector

    sums = []
    for path in Path(environ["INSTANCE_DIR"]).glob("metrics/*/counter_*.db"):
        merged = MultiProcessCollector.merge([str(path)])  # type: ignore[no-untyped-call]
        sums.append(sum(sample.value for metric in merged for sample in metric.samples))
    return [found for found in sums if found]


def test_each_scrape_tells_of_all_web_processes(run: Run, port: int, environ: dict[str, str]) -> None:
    web = run("web")
    wait_for(lambda: answers(port) and len(children(web.process.pid)) == 2)
    called = 0
    while len(of_each_process(environ)) < 2:
        call(port, 50)
        called += 50
        assert called < 2_000, "one process answers everything"
    assert totals(port) == {(called, called)}
    assert scraped(port).of("queued", channel="plan", destination="plan") == called


def test_a_killed_web_process_takes_nothing_along(run: Run, port: int, environ: dict[str, str]) -> None:
    web = run("web")
    wait_for(lambda: answers(port) and len(children(web.process.pid)) == 2)
    call(port, 40)
    killed = set(children(web.process.pid))
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(set(children(web.process.pid)) - killed) == 2 and answers(port))
    assert totals(port) == {(40, 40)}
    call(port, 40)
    assert totals(port) == {(80, 80)}


def test_serve_tells_of_the_worker_too_and_a_killed_one_takes_nothing_along(run: Run, port: int) -> None:
    other = free_port()
    serve = run("serve", WORKER_METRICS_PORT=str(other))
    wait_for(lambda: answers(port))

    def sent() -> float | None:
        return scraped(port).of("deliveries_total", channel="email", destination="inbox", outcome="sent")

    call(port, 5)
    wait_for(lambda: sent() == 5)
    assert scraped(port).of("received_to_sent_seconds_count", channel="email", priority="otp") == 5
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{other}/metrics", timeout=LONG_ENOUGH)  # they are not told twice
    before = set(kill_family(serve.process.pid))
    wait_for(lambda: answers(port) and not before & set(children(serve.process.pid)))
    assert sent() == 5
    call(port, 5)
    wait_for(lambda: sent() == 10)


def test_another_start_counts_from_zero(run: Run, port: int, environ: dict[str, str]) -> None:
    for _ in range(2):
        web = run("web")
        wait_for(lambda: answers(port))
        call(port, 3)
        assert totals(port) == {(3, 3)}
        web.kill()
    assert len(list(Path(environ["INSTANCE_DIR"]).glob("metrics/*/in-use"))) == 1


def test_web_processes_are_one_where_the_instance_directory_cannot_be_made(run: Run, port: int, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    nowhere = str(tmp_path / "file" / "instance")
    web = run("web", INSTANCE_DIR=nowhere, TMPDIR=str(tmp_path), AUTH_URL="http://127.0.0.1:1")
    wait_for(lambda: answers(port) and len(children(web.process.pid)) == 2)
    call(port, 40)
    assert totals(port) == {(40, 40)}
    assert "INSTANCE_DIR" in web.said


def test_gunicorn_without_our_settings_tells_of_all_its_processes(port: int, environ: dict[str, str]) -> None:
    gunicorn = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--workers", "2", "--threads", "2"]
    server = subprocess.Popen(
        [*gunicorn, "-b", f"127.0.0.1:{port}", "wsgi:app"],
        env={"PATH": os.environ["PATH"], **environ},
        cwd=CHECKOUT,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: answers(port) and len(children(server.pid)) == 2)
        called = 0
        while len(of_each_process(environ)) < 2:
            call(port, 50)
            called += 50
            assert called < 2_000, "one process answers everything"
        assert totals(port) == {(called, called)}
    finally:
        server.terminate()
        server.wait(LONG_ENOUGH)


def test_a_worker_that_runs_alone_tells_what_it_has_done_itself(run: Run, port: int) -> None:
    own = free_port()
    run("web")
    wait_for(lambda: answers(port))
    call(port, 3)
    run("worker", WORKER_METRICS_PORT=str(own))
    wait_for(lambda: answers(own, "/metrics"))
    labels = {"channel": "email", "destination": "inbox", "outcome": "sent"}
    wait_for(lambda: scraped(own).of("deliveries_total", **labels) == 3)
    assert scraped(own).total("triggers_total") == 0
    assert scraped(port).total("deliveries_total") == 0
    assert requests.get(f"http://127.0.0.1:{own}/inbox", timeout=LONG_ENOUGH).status_code == 404
    wait_for(lambda: scraped(port).of("overdue_seconds", destination="inbox") == 0)


def test_a_worker_listens_to_trusted_networks_alone(run: Run) -> None:
    own = free_port()
    worker = run("worker", WORKER_METRICS_PORT=str(own), TRUSTED_NETWORKS="10.1.2.0/24")

    def is_refused() -> bool:
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{own}/metrics", timeout=LONG_ENOUGH)
        return "metrics.refused" in worker.said

    wait_for(is_refused)


def test_a_forwarded_request_is_judged_as_in_the_web_part(run: Run) -> None:
    own = free_port()
    run("worker", WORKER_METRICS_PORT=str(own))
    wait_for(lambda: answers(own, "/metrics"))
    forwarded = {"X-Forwarded-For": "127.0.0.1"}
    assert requests.get(f"http://127.0.0.1:{own}/metrics", headers=forwarded, timeout=LONG_ENOUGH).status_code == 403


def test_a_workers_port_in_use_is_said_and_ends_it(run: Run) -> None:
    own = free_port()
    run("worker", WORKER_METRICS_PORT=str(own))
    wait_for(lambda: answers(own, "/metrics"))
    second = run("worker", WORKER_METRICS_PORT=str(own))
    assert second.process.wait(LONG_ENOUGH) == 1
    assert "WORKER_METRICS_PORT" in second.said
    assert "Traceback" not in second.said


def test_a_worker_ends_while_its_figures_are_read(run: Run) -> None:
    own = free_port()
    worker = run("worker", WORKER_METRICS_PORT=str(own))
    wait_for(lambda: answers(own, "/metrics"))
    with requests.Session() as session:
        session.get(f"http://127.0.0.1:{own}/metrics", timeout=LONG_ENOUGH)
        worker.process.terminate()
        assert worker.process.wait(LONG_ENOUGH) == 0
