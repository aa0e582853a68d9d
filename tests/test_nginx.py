"""The proxy in front of this server and of the country config server, as it is shown, in a real nginx."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.cli.processes import LONG_ENOUGH, answers, free_port, wait_for

CHECKOUT = Path(__file__).parents[1]
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
SHOWN = ("deploy/nginx.conf", "README.md")

OURS = [
    "/trigger/user/2fa",
    "/triggers/user/2fa",
    "/trigger/system/ready",
    "/trigger/events/birth/actions/REGISTER",
    "/triggers/events/telemetry/actions/DECLARE",
    "/triggers/hospital/telemetry",
    "/trigger/telemetry/daily",
    "/receipts/twilio/token",
    "/confirmations/5d3f2c1b-0a9e-4c8d-b7f6-1e2d3c4b5a60/accept",
    "/webhooks/subscriptions",
    "/v2/webhooks/registrations",
    "/reindex",
    "/email",
]
THEIRS = [
    "/trigger/telemetry",
    "/triggers/telemetry",
    "/config/application",
    "/certificates",
    "/content/country-logo",
    "/ping",
    "/triggered",
    "/",
]

pytestmark = pytest.mark.skipif(NGINX is None, reason="needs nginx: apt-get install nginx-light")


@dataclass(frozen=True)
class Proxy:
    """nginx with one of the shown configurations; each server behind it answers with its name."""

    port: int

    def post(self, path: str, **how: object) -> requests.Response:
        return requests.post(f"http://127.0.0.1:{self.port}{path}", timeout=LONG_ENOUGH, **how)  # type: ignore[arg-type]


@contextmanager
def answering(name: str) -> Iterator[int]:
    """The port of a server that says its name, and whom it was told that it speaks to."""

    def answer(request: Request) -> Response:
        request.get_data()
        return Response(f"{name} {request.headers.get('X-Forwarded-For')}")

    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        server.expect_request(re.compile(".*")).respond_with_handler(answer)
        yield server.port


def server_block(shown: str) -> str:
    """What is shown, as the content of `http { }`, listening on port 3040."""
    text = (CHECKOUT / shown).read_text(encoding="utf-8")
    if shown.endswith(".conf"):
        return text
    found = re.search(r"```nginx\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return f"server {{\nlisten 3040;\n{found[1]}}}\n"


def configuration(shown: str, port: int, ours: int, theirs: int) -> str:
    """What is shown, with the addresses of this test."""
    block = server_block(shown)
    for old, new in (
        ("country-config-triggers:3040", f"127.0.0.1:{ours}"),
        ("country-config:3040", f"127.0.0.1:{theirs}"),
        ("listen 3040;", f"listen 127.0.0.1:{port};"),
    ):
        assert old in block
        block = block.replace(old, new)
    places = "".join(f"{name}_temp_path {name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"pid nginx.pid;\nevents {{ }}\nhttp {{\naccess_log off;\n{places}{block}}}\n"


@pytest.fixture(scope="module", params=SHOWN)
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    directory, port = tmp_path_factory.mktemp("nginx"), free_port()
    with ExitStack() as stack:
        ours, theirs = stack.enter_context(answering("ours")), stack.enter_context(answering("theirs"))
        (directory / "nginx.conf").write_text(configuration(request.param, port, ours, theirs), encoding="utf-8")
        command = [str(NGINX), "-p", f"{directory}/", "-c", "nginx.conf", "-e", "error.log"]
        tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        assert tested.returncode == 0, tested.stderr
        # One process, which is this test's to end.
        running = stack.enter_context(subprocess.Popen([*command, "-g", "daemon off; master_process off;"]))
        stack.callback(running.kill)
        wait_for(lambda: answers(port))
        yield Proxy(port)


@pytest.mark.parametrize("path", OURS)
def test_what_is_ours_comes_to_us(proxy: Proxy, path: str) -> None:
    assert proxy.post(path, json={}).text.startswith("ours ")


@pytest.mark.parametrize("path", THEIRS)
def test_all_else_goes_to_the_country_config_server(proxy: Proxy, path: str) -> None:
    assert proxy.post(path, json={}).text.startswith("theirs ")


def test_the_callers_address_replaces_what_the_caller_claims(proxy: Proxy) -> None:
    answer = proxy.post("/trigger/user/2fa", headers={"X-Forwarded-For": "10.0.0.1"})
    assert answer.text == "ours 127.0.0.1"


@pytest.mark.parametrize("proxy", ["deploy/nginx.conf"], indirect=True)  # the README shows the locations alone
def test_a_reindex_of_fifty_megabytes_passes(proxy: Proxy) -> None:
    assert proxy.post("/reindex", data=b"0" * 50 * 1024 * 1024).status_code == 200
