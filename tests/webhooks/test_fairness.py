"""One slow receiver, or a hundred, delay nobody else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select, update

from app.database.clock import now
from app.database.tables import deliveries, triggers
from tests.cli.processes import wait_for
from tests.webhooks.conftest import Hooks, Receiver

MakeHooks = Callable[..., Hooks]


@contextmanager
def working(hooks: Hooks, receiver: Receiver) -> Iterator[None]:
    """The worker runs as it does in a process of its own."""
    thread = threading.Thread(target=hooks.worker.run)
    thread.start()
    try:
        yield
    finally:
        hooks.worker.stop()
        while thread.is_alive():  # what it has begun is released too
            receiver.release()
            thread.join(0.1)


def test_a_hundred_that_hang_delay_nobody(
    make_hooks: MakeHooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.webhooks.sending.TIMEOUT", 60.0)
    hooks = make_hooks()
    api = hooks.client()
    for number in range(100):
        api.subscribe(receiver.url("hang", str(number)), "*.accepted")
    hooks.register()
    with working(hooks, receiver):
        wait_for(lambda: all(receiver.got("hang", str(number)) for number in range(0, 100, 33)))
        api.subscribe(receiver.url(), "*.accepted")
        began = time.monotonic()
        hooks.register()
        wait_for(lambda: receiver.got() != [])
        assert time.monotonic() - began < 30  # none of the hundred has ended meanwhile


def test_messages_to_people_go_out_beside_receivers_that_hang(
    make_hooks: MakeHooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.webhooks.sending.TIMEOUT", 60.0)
    hooks = make_hooks()
    for number in range(40):
        hooks.client(f"client {number}").subscribe(receiver.url("hang", str(number)), "user.*")
    hooks.trigger("user/2fa", {"recipient": {"email": "amina@registry.test"}, "code": "730164"})
    with working(hooks, receiver):
        wait_for(lambda: receiver.got("hang", "39") != [])
        began = time.monotonic()
        hooks.trigger("user/2fa", {"recipient": {"email": "amina@registry.test"}, "code": "730165"})
        inbox = hooks.country.app.test_client()
        wait_for(lambda: inbox.get("/inbox").text.count("amina@registry.test") == 2)
        assert time.monotonic() - began < 30  # none of the forty has ended meanwhile


def test_a_code_is_erased_though_a_webhook_of_it_is_still_to_be_tried(hooks: Hooks, receiver: Receiver) -> None:
    api = hooks.client()
    made = api.subscribe(receiver.url("500"), "user.2fa")
    hooks.trigger("user/2fa", {"recipient": {"email": "amina@registry.test"}, "code": "730164"})
    hooks.work()
    assert hooks.states() == [("queued", "500 thank you")]
    with hooks.database.reading() as connection:
        assert connection.execute(select(triggers.c.secrets)).scalar_one() is None
    (delivery,) = api.deliveries(made)
    assert api.call("POST", f"/webhooks/deliveries/{delivery['id']}/retry").status_code == 202
    hooks.work()
    assert len(receiver.got("500")) == 2


def test_a_rate_is_kept(hooks: Hooks, receiver: Receiver) -> None:
    hooks.client().subscribe(receiver.url(), "*.accepted", rateLimit=2)
    for _ in range(5):
        hooks.register()
    hooks.work()
    first = len(receiver.got())
    assert first <= 3
    for _ in range(10):
        with hooks.database.transaction() as connection:
            connection.execute(update(deliveries).where(deliveries.c.state == "queued").values(due_at=now()))
        hooks.work()
        time.sleep(0.3)
        if len(receiver.got()) == 5:
            return
    pytest.fail("the rest never came")
