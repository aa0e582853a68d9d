"""What can be known of the image without building it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from pytest_httpserver import HTTPServer

from app.cli import commands
from tests.cli.processes import free_port

CHECKOUT = Path(__file__).parents[1]
# Instructions, with their continued lines joined.
INSTRUCTIONS = [
    line.split(" ", 1)
    for line in re.sub(r"\\\n\s*", "", (CHECKOUT / "deploy" / "Dockerfile").read_text(encoding="utf-8")).splitlines()
    if line and not line.startswith("#")
]
PYPROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))


def all_of(instruction: str) -> list[str]:
    return [rest for name, rest in INSTRUCTIONS if name == instruction]


def let_in() -> set[str]:
    """What .dockerignore leaves of the checkout."""
    everything, *rest = (
        line
        for line in (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    )
    assert everything == "*"
    return {line.removeprefix("!/") for line in rest if line.startswith("!/")}


def copied() -> set[str]:
    """What is copied from the checkout."""
    return {source for rest in all_of("COPY") if "--from" not in rest for source in rest.split()[:-1]}


def test_what_is_copied_is_there_and_let_in() -> None:
    assert copied() == let_in()
    assert [name for name in copied() if not (CHECKOUT / name).exists()] == []


def test_what_the_server_reads_is_copied() -> None:
    assert {"app", "templates", "translations", "wsgi.py"} <= copied()
    assert {"pyproject.toml", PYPROJECT["project"]["readme"], *PYPROJECT["project"]["license-files"]} <= copied()


def test_nothing_private_is_let_in() -> None:
    assert not let_in() & {".git", ".venv", ".env", "instance", "tests", "benchmarks"}


def test_both_stages_have_one_pinned_python_that_the_project_runs_on() -> None:
    (base,) = {rest.removesuffix(" AS build") for rest in all_of("FROM")}
    pinned = re.fullmatch(r"python:(\d+\.\d+)-slim-\w+", base)
    assert pinned is not None
    assert pinned[1] in SpecifierSet(PYPROJECT["project"]["requires-python"])


def test_dependencies_are_those_of_the_lock_file() -> None:
    installs = [step for rest in all_of("RUN") for step in rest.split("&&") if " install " in step and "pip" in step]
    locked, own = installs
    assert "--require-hashes -r requirements.lock" in locked
    assert "--no-deps --no-build-isolation" in own


def test_it_does_not_run_as_root_and_keeps_what_it_makes() -> None:
    (user,) = all_of("USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    (volume,) = all_of("VOLUME")
    assert f"INSTANCE_DIR={volume}" in all_of("ENV")[0].split()
    assert any(f"--owner country --group country --mode 0700 {volume}" in rest for rest in all_of("RUN"))


def test_it_serves_unless_told_otherwise() -> None:
    assert json.loads(all_of("ENTRYPOINT")[0]) == list(PYPROJECT["project"]["scripts"])
    (command,) = json.loads(all_of("CMD")[0])
    assert command == "serve"
    assert {"serve", "web", "worker"} <= set(commands.commands)


def health(port: int) -> int:
    """The status that the image's own check ends with."""
    (check,) = all_of("HEALTHCHECK")
    python, *arguments = json.loads(check.partition("CMD ")[2])
    assert python == "python"
    environ = {"COUNTRY_CONFIG_PORT": str(port)}
    return subprocess.run([sys.executable, *arguments], env=environ, stderr=subprocess.DEVNULL, check=False).returncode


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_it_is_healthy_where_the_server_says_so(httpserver: HTTPServer, status: int, healthy: bool) -> None:
    httpserver.expect_request("/health/live").respond_with_data(status=status)
    assert (health(httpserver.port) == 0) is healthy


def test_it_is_not_healthy_where_nobody_answers() -> None:
    assert health(free_port()) != 0
