"""What gunicorn itself has to say is a line of our log."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from tests.cli.processes import Command, answers, children, free_port, wait_for
from tests.conftest import SECRET_KEY


def test_a_worker_that_dies_is_told_in_json_in_production(sqlite_url: str, tmp_path: Path) -> None:
    port = free_port()
    environ = {
        "APP_ENV": "production",
        "DATABASE_URL": sqlite_url,
        "INSTANCE_DIR": str(tmp_path / "instance"),
        "SECRET_KEY": SECRET_KEY,
        "COUNTRY_CONFIG_HOST": "127.0.0.1",
        "COUNTRY_CONFIG_PORT": str(port),
        "WEB_CONCURRENCY": "1",
        "AUTH_URL": "http://127.0.0.1:9",
        "DOMAIN": "registry.test",
        "LOGIN_URL": "https://login.registry.test",
        "SENDER_EMAIL_ADDRESS": "registry@registry.test",
        "SMTP_HOST": "127.0.0.1",
    }
    web = Command(["web"], environ, tmp_path / "output")
    try:
        wait_for(lambda: answers(port))
        (worker,) = children(web.process.pid)
        os.kill(worker, signal.SIGSEGV)
        wait_for(lambda: "SIGSEGV" in web.said)
        wait_for(lambda: answers(port))
    finally:
        web.end()
    lines = [json.loads(line) for line in web.said.splitlines()]
    (told,) = (line for line in lines if "SIGSEGV" in line["event"])
    assert (told["level"], told["event"]) == ("warning", f"Worker (pid:{worker}) was sent SIGSEGV!")
    assert "timestamp" in told
