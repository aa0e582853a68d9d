"""The receivers that docs/webhooks.md shows, run as they stand there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.cli.processes import LONG_ENOUGH, free_port, wait_for
from tests.webhooks.conftest import Hooks

_DOCS = Path(__file__).parents[2] / "docs" / "webhooks.md"
_RUN = {"receiver.py": sys.executable, "receiver.js": shutil.which("node") or "node"}


def shown(name: str) -> str:
    """The code block below the comment with this name."""
    found = re.search(rf"<!-- {re.escape(name)} -->\n```\w+\n(.*?)```", _DOCS.read_text(encoding="utf-8"), re.DOTALL)
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
    code = tmp_path / name
    code.write_text(shown(name))
    assert len(list(filter(None, code.read_text().splitlines()))) <= 18
    port = free_port()
    secret = "whsec_" + "c2VjcmV0" * 4
    hooks = make_hooks()
    hooks.client().subscribe(f"http://127.0.0.1:{port}/", "*.accepted", secret=secret)
    environ = {"SECRET": secret, "PORT": str(port), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen([_RUN[name], str(code)], env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            wait_for(lambda: _answers(port))
            hooks.register()
            number = hooks.answered.json["registrationNumber"]
            hooks.work()
            assert hooks.states() == [("sent", None)]
            assert process.stdout is not None
            assert process.stdout.readline() == f"events.birth.register.accepted {number}\n"
            headers = {"webhook-id": "x", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
            assert (
                requests.post(f"http://127.0.0.1:{port}/", b"{}", headers=headers, timeout=LONG_ENOUGH).status_code
                == 401
            )
        finally:
            process.kill()


def _answers(port: int) -> bool:
    try:
        return requests.post(f"http://127.0.0.1:{port}/", b"{}", timeout=LONG_ENOUGH).status_code == 401
    except requests.ConnectionError:
        return False


def test_each_filter_that_is_shown_can_be_saved(make_hooks: Callable[..., Hooks]) -> None:
    text = _DOCS.read_text(encoding="utf-8")
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
