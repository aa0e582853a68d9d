"""The receivers that docs/webhooks.md and docs/forwarding.md show, run as they stand there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
import requests

from tests.cli.processes import LONG_ENOUGH, free_port, wait_for
from tests.webhooks.conftest import Hooks

SECRET = "whsec_" + "c2VjcmV0" * 4
_DOCS = Path(__file__).parents[2] / "docs"
_RUN = {"receiver.py": sys.executable, "receiver.js": shutil.which("node") or "node"}


def shown(name: str, page: str = "webhooks.md") -> str:
    """The code block below the comment with this name."""
    text = (_DOCS / page).read_text(encoding="utf-8")
    found = re.search(rf"<!-- {re.escape(name)} -->\n```\w+\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    "name",
    [
        "receiver.py",
        pytest.param("receiver.js", marks=pytest.mark.skipif(not shutil.which("node"), reason="no Node here")),
    ],
)
def test_a_receiver_as_it_is_shown_takes_what_is_ours_and_nothing_else(
    make_hooks: Callable[..., Hooks], tmp_path: Path, name: str
) -> None:
    port = free_port()
    hooks = make_hooks()
    hooks.client().subscribe(f"http://127.0.0.1:{port}/", "*.accepted", secret=SECRET)
    with running(shown(name), _RUN[name], port, tmp_path / name) as printed:
        hooks.register()
        hooks.work()
        number = hooks.answered.json["registrationNumber"]
        assert hooks.states() == [("sent", None)]
        assert printed.readline() == f"events.birth.register.accepted {number}\n"
        assert _refuses_what_is_not_ours(port)


def test_a_receiver_of_forwarded_documents_as_it_is_shown_takes_what_is_ours_and_nothing_else(
    make_hooks: Callable[..., Hooks], tmp_path: Path
) -> None:
    port = free_port()
    hooks = make_hooks(FORWARD_ACTIONS_TO=f"http://127.0.0.1:{port}/", FORWARD_SECRET=SECRET)
    code = shown("forward_receiver.py", "forwarding.md")
    with running(code, sys.executable, port, tmp_path / "receiver.py") as printed:
        document = hooks.register()
        hooks.work()
        number = hooks.answered.json["registrationNumber"]
        assert printed.readline() == f"{document['trackingId']} REGISTER Accepted {number}\n"
        assert _refuses_what_is_not_ours(port)


@contextmanager
def running(code: str, interpreter: str, port: int, path: Path) -> Iterator[IO[str]]:
    """What the receiver prints."""
    assert len(list(filter(None, code.splitlines()))) <= 20
    path.write_text(code)
    environ = {"SECRET": SECRET, "PORT": str(port), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen([interpreter, str(path)], env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            wait_for(lambda: _answers(port))
            assert process.stdout is not None
            yield process.stdout
        finally:
            process.kill()


def _refuses_what_is_not_ours(port: int) -> bool:
    headers = {"webhook-id": "x", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
    answer = requests.post(f"http://127.0.0.1:{port}/", b"{}", headers=headers, timeout=LONG_ENOUGH)
    return answer.status_code == 401


def _answers(port: int) -> bool:
    try:
        return requests.post(f"http://127.0.0.1:{port}/", b"{}", timeout=LONG_ENOUGH).status_code == 401
    except requests.ConnectionError:
        return False


def test_each_filter_that_is_shown_can_be_saved(make_hooks: Callable[..., Hooks]) -> None:
    text = (_DOCS / "webhooks.md").read_text(encoding="utf-8")
    filters = re.findall(r"^\| [^|]+ \| `(\{.*\})` \|$", text, re.MULTILINE)
    assert len(filters) == 4
    api = make_hooks().client()
    for shown_filter in filters:
        api.subscribe("http://127.0.0.1:9/", filter=json.loads(shown_filter))
    wish = re.search(r"```json\n(\{\n  \"url\".*?)```", text, re.DOTALL)
    assert wish is not None
    worked_example = json.loads(wish[1])
    worked_example["url"] = "http://127.0.0.1:9/"
    assert api.subscribe(**worked_example)["id"]
