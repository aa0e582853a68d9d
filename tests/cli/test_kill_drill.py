"""Web and worker are killed, in turn and together, while triggers come in: nothing that was answered 200 is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import requests
from sqlalchemy import func, select

from app.database.engine import Database
from app.database.tables import deliveries
from app.encryption import Cipher
from app.notifications.inbox import Inbox
from app.settings import Settings
from tests.cli.processes import LONG_ENOUGH, Command, answers, free_port, wait_for

TRIGGERS = 1_000
CALLERS = 8
KILLS = (("web",), ("worker",), ("web",), ("worker",), ("web", "worker"), ("web",))


def test_nothing_that_was_answered_200_is_lost(
    database_url: str, make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    port = free_port()
    settings = make_settings(DATABASE_URL=database_url)
    environ = {
        "APP_ENV": "test",
        "DATABASE_URL": database_url,
        "INSTANCE_DIR": str(settings.instance_dir),
        "SECRET_KEY": settings.secret_keys[0],
        "COUNTRY_CONFIG_PORT": str(port),
        "COUNTRY_CONFIG_HOST": "127.0.0.1",
        "LOG_LEVEL": "error",
    }
    running = {name: Command([name], environ, tmp_path / name) for name in ("web", "worker")}
    try:
        wait_for(lambda: answers(port))
        kept = _Callers(port)
        with kept:
            for names in KILLS:
                enough = len(kept.accepted) + TRIGGERS // (len(KILLS) + 2)
                wait_for(partial(kept.more_than, enough))
                for name in names:
                    running[name].kill()
                running |= {name: Command([name], environ, tmp_path / name) for name in names}
                wait_for(lambda: answers(port))
            wait_for(lambda: len(kept.accepted) >= TRIGGERS)
        database = Database(database_url)
        wait_for(lambda: _all_sent(database))
        delivered = {message.to[0] for message in Inbox(database, Cipher(settings.secret_keys)).newest(10 * TRIGGERS)}
        database.close()
    finally:
        for command in running.values():
            command.end()
    assert len(kept.accepted) >= TRIGGERS
    assert kept.accepted - delivered == set()


class _Callers:
    """Several callers, each with triggers of its own, one after another; those answered 200 are remembered."""

    def __init__(self, port: int) -> None:
        self.accepted: set[str] = set()
        self._url = f"http://127.0.0.1:{port}/triggers/user/username-reminder"
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(number,)) for number in range(CALLERS)]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(LONG_ENOUGH)

    def more_than(self, count: int) -> bool:
        return len(self.accepted) > count

    def _call(self, caller: int) -> None:
        number = 0
        with requests.Session() as session:
            while not self._stop.is_set():
                number += 1
                address = f"user-{caller}-{number}@registry.test"
                try:
                    answer = session.post(
                        self._url, json={"recipient": {"email": address}, "username": "a.mwale"}, timeout=LONG_ENOUGH
                    )
                except requests.RequestException:
                    time.sleep(0.02)  # the web process is being killed and started: not a wait for a condition
                    continue
                if answer.status_code == 200:
                    self.accepted.add(address)


def _all_sent(database: Database) -> bool:
    with database.reading() as connection:
        open_ones = connection.scalar(
            select(func.count()).select_from(deliveries).where(deliveries.c.state.in_(["queued", "sending"]))
        )
    return open_ones == 0
