"""`country-config messages preview`: the page of the messages, without the rest of the server."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.cli.processes import LONG_ENOUGH, Command, wait_for
from tests.console.countries import CountryFiles

Run = Callable[..., Command]
SUBJECT = "Your OpenCRVS sign-in code"


@pytest.fixture
def country(tmp_path: Path) -> CountryFiles:
    (tmp_path / "country").mkdir()
    return CountryFiles(tmp_path / "country")


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """Where the server would keep what it makes for itself."""
    return tmp_path / "instance"


@pytest.fixture
def run(instance: Path, tmp_path: Path) -> Iterator[Run]:
    """Start the command with these arguments and settings."""
    started: list[Command] = []

    def start(*arguments: object, **environ: str) -> Command:
        environ = {"INSTANCE_DIR": str(instance), **environ}
        output = tmp_path / f"output-{len(started)}"
        started.append(Command(["messages", "preview", *map(str, arguments)], environ, output))
        return started[-1]

    yield start
    for command in started:
        command.end()


def address_of(preview: Command) -> str:
    """What it says where it is, once it answers there."""
    wait_for(lambda: "Ctrl-C" in preview.said or preview.process.poll() is not None)
    found = re.search(r"http://localhost:(\d+)/messages", preview.said)
    assert found, preview.said
    return f"http://127.0.0.1:{found.group(1)}/messages"


def page(address: str) -> str:
    answer = requests.get(address, timeout=LONG_ENOUGH)
    assert answer.status_code == 200
    return answer.text


def test_what_is_saved_is_shown_and_nothing_else_is_touched(run: Run, country: CountryFiles, instance: Path) -> None:
    address = address_of(run(country.directory, "--port", 0))
    assert SUBJECT in page(address)
    before = page(f"{address}/fingerprint")
    country.words("2fa.subject,,The secret,")
    assert page(f"{address}/fingerprint") != before
    assert "The secret" in page(f"{address}/2fa")
    assert not instance.exists()


def test_without_a_directory_it_is_that_of_the_settings(run: Run, country: CountryFiles) -> None:
    country.words("2fa.subject,,The secret of {{applicationName}},")
    preview = run("--port", 0, COUNTRY_DIR=str(country.directory), APPLICATION_NAME="Farajaland")
    assert "The secret of Farajaland" in page(address_of(preview))


def test_a_directory_that_is_broken_throughout_is_served(run: Run, country: CountryFiles) -> None:
    country.write("rules.py", "trigger(")
    country.write("translations/ours.csv", b"\xff\xfe")
    country.template("layout.html", "{% if %}")
    country.template("look.toml", "[light")
    shown = page(address_of(run(country.directory, "--port", 0)))
    assert "translations/ours.csv" in shown
    assert "rules.py" in shown


def test_settings_of_the_rest_of_the_server_need_not_be_right(run: Run, country: CountryFiles) -> None:
    preview = run(
        country.directory,
        *("--port", 0),
        APP_ENV="production",
        SMTP_PORT="none",
        DATABASE_URL="nowhere",
        AUTH_URL="auth",
        SECRET_KEY="secret",
    )
    assert SUBJECT in page(address_of(preview))


def test_only_this_machine_can_call_it(run: Run, country: CountryFiles) -> None:
    port = int(address_of(run(country.directory, "--port", 0)).split(":")[2].partition("/")[0])
    listening = {
        bytes.fromhex(line.split()[1].partition(":")[0])
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
    }
    assert listening == {socket.inet_aton("127.0.0.1")[::-1]}


def test_ctrl_c_ends_it(run: Run, country: CountryFiles) -> None:
    preview = run(country.directory, "--port", 0)
    page(address_of(preview))
    os.killpg(preview.process.pid, signal.SIGINT)
    assert preview.process.wait(LONG_ENOUGH) == 0
    assert "Traceback" not in preview.said


def test_a_port_that_is_taken_is_said(run: Run, country: CountryFiles) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        preview = run(country.directory, "--port", taken.getsockname()[1])
        assert preview.process.wait(LONG_ENOUGH) == 1
    assert "Choose another one with --port" in preview.said


def test_a_directory_that_is_not_there_is_said(run: Run, tmp_path: Path) -> None:
    named = run(tmp_path / "none")
    assert named.process.wait(LONG_ENOUGH) == 2
    assert "none' does not exist" in named.said
    set_ = run(COUNTRY_DIR=str(tmp_path / "none"))
    assert set_.process.wait(LONG_ENOUGH) == 1
    assert "COUNTRY_DIR is" in set_.said
