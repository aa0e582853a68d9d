"""`country-config serve`: everything on one machine, started and ended as one."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from app.settings import Settings
from tests.cli.processes import LONG_ENOUGH, Command, answers, children, free_port, kill_family, wait_for

Serve = Callable[..., Command]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def environ(make_settings: Callable[..., Settings], port: int, tmp_path: Path) -> dict[str, str]:
    settings = make_settings()
    return {
        "APP_ENV": "development",
        "INSTANCE_DIR": str(settings.instance_dir),
        "COUNTRY_CONFIG_PORT": str(port),
        "COUNTRY_CONFIG_HOST": "127.0.0.1",
    }


@pytest.fixture
def run(environ: dict[str, str], tmp_path: Path) -> Iterator[Serve]:
    started: list[Command] = []

    def start(*arguments: str, **more: str) -> Command:
        started.append(Command(list(arguments), environ | more, tmp_path / f"output-{len(started)}"))
        return started[-1]

    yield start
    for command in started:
        command.end()


def test_a_message_lands_in_the_inbox_and_ctrl_c_ends_everything(run: Serve, port: int) -> None:
    server = run("serve")
    wait_for(lambda: "/inbox" in server.said and "curl" in server.said)
    samples = run("samples", "send")
    assert samples.process.wait(LONG_ENOUGH) == 0, samples.said
    assert samples.said.count(" 200 ") == 12
    one = run("samples", "send", "2fa")
    assert one.process.wait(LONG_ENOUGH) == 0, one.said
    assert one.said.count(" 200 ") == 1
    with_cores_key = run("samples", "send", "2fa", AUTH_URL="http://127.0.0.1:9")  # then without a token, from loopback
    assert with_cores_key.process.wait(LONG_ENOUGH) == 0, with_cores_key.said
    wait_for(
        lambda: "Your OpenCRVS sign-in code" in requests.get(f"http://127.0.0.1:{port}/inbox", timeout=LONG_ENOUGH).text
    )
    family = children(server.process.pid)
    assert len(family) == 3  # gunicorn, its worker, and ours
    os.killpg(server.process.pid, signal.SIGINT)
    assert server.process.wait(LONG_ENOUGH) == 0
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family))


def test_a_killed_child_is_started_again(run: Serve, port: int) -> None:
    server = run("serve")
    wait_for(lambda: answers(port) and len(children(server.process.pid)) == 3)
    before = set(kill_family(server.process.pid))
    wait_for(lambda: answers(port, "/health/ready") and len(set(children(server.process.pid)) - before) == 3)


def test_the_children_end_with_a_parent_that_is_killed(run: Serve, port: int) -> None:
    server = run("serve")
    wait_for(lambda: answers(port) and len(children(server.process.pid)) == 3)
    family = children(server.process.pid)
    server.process.kill()
    server.process.wait(LONG_ENOUGH)
    wait_for(lambda: not any(_runs(pid) for pid in family))


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


@pytest.mark.parametrize("command", ["web", "worker"])
def test_an_old_schema_is_refused_with_the_cure(run: Serve, command: str) -> None:
    refused = run(command)
    assert refused.process.wait(LONG_ENOUGH) == 1
    assert "country-config db upgrade" in refused.said


def test_production_says_all_that_is_missing_at_once(run: Serve) -> None:
    refused = run("serve", APP_ENV="production")
    assert refused.process.wait(LONG_ENOUGH) == 1
    for name in ("SECRET_KEY", "AUTH_URL", "DOMAIN", "LOGIN_URL", "SENDER_EMAIL_ADDRESS", "SMTP_HOST"):
        assert name in refused.said
    assert "Traceback" not in refused.said


def test_a_port_in_use_is_said_and_ends_it(run: Serve, port: int) -> None:
    first = run("serve")
    wait_for(lambda: answers(port))
    second = run("serve")
    assert second.process.wait(LONG_ENOUGH) == 1
    assert "in use" in second.said
    assert first.process.poll() is None


def test_migrating_twice_is_harmless(run: Serve) -> None:
    for _ in range(2):
        command = run("db", "upgrade")
        assert command.process.wait(LONG_ENOUGH) == 0
        assert "The database is at schema version" in command.said


def test_gunicorn_alone_serves_the_application(run: Serve, environ: dict[str, str], port: int) -> None:
    import subprocess
    import sys

    assert run("db", "upgrade").process.wait(LONG_ENOUGH) == 0
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--no-control-socket", "-b", f"127.0.0.1:{port}", "wsgi:app"],
        env={"PATH": os.environ["PATH"], **environ},
        cwd=Path(__file__).parents[2],
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: answers(port, "/health/ready"))
    finally:
        server.terminate()
        server.wait(LONG_ENOUGH)


@pytest.mark.parametrize("command", ["web", "worker", "serve"])
def test_a_broken_message_is_refused(run: Serve, tmp_path: Path, command: str) -> None:
    assert run("db", "upgrade").process.wait(LONG_ENOUGH) == 0
    templates = tmp_path / "country" / "templates" / "email"
    templates.mkdir(parents=True)
    (templates / "2fa.html").write_text("{{ cdoe }}")
    refused = run(command, COUNTRY_DIR=str(tmp_path / "country"))
    assert refused.process.wait(LONG_ENOUGH) == 1
    assert "2fa has no variable cdoe" in refused.said
    assert "Listening" not in refused.said
