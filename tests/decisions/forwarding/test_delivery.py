"""What a receiver of forwarded documents can do, or a worker that dies, and what becomes of the documents."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import select, update
from structlog.testing import capture_logs
from werkzeug import Response

from app.database.clock import now
from app.database.tables import attempts, deliveries
from app.outbox import operations
from app.outbox.worker import Worker
from tests.cli.processes import LONG_ENOUGH, Command, free_port, wait_for
from tests.conftest import SECRET_KEY
from tests.decisions.conftest import Country, question
from tests.decisions.forwarding.receiver import ForwardReceiver, accepted, always, due_now, rows, states

MakeCountry = Callable[..., Country]
MakeWorker = Callable[[Country], Worker]


def test_a_receiver_that_is_down_gets_it_under_the_same_id_when_it_is_back(
    make_country: MakeCountry, make_worker: MakeWorker, receivers: HTTPServer, receiver: ForwardReceiver
) -> None:
    port = free_port()
    country = make_country(FORWARD_ACTIONS_TO=f"http://127.0.0.1:{port}/hook,{receiver.url}")
    asked, worker = question("DECLARE"), make_worker(country)
    country.ask(asked)
    worker.run_until_idle()
    assert sorted(states(country)) == [("queued", "Connection refused"), ("sent", None)]
    with HTTPServer(host="127.0.0.1", port=port) as back:
        returned = ForwardReceiver(back)
        returned.behave = lambda number: Response(status=500 if number == 1 else 200)
        due_now(country)
        worker.run_until_idle()
        assert ("queued", "the receiver answered 500") in states(country)
        due_now(country)
        worker.run_until_idle()
        assert returned.documents == [accepted(asked)] * 2
        assert len(set(returned.ids)) == 1
        assert returned.ids[0] in {row.id for row in rows(country)}
    assert len(receiver.requests) == 1


def test_what_the_receiver_refuses_is_a_dead_letter_at_once_that_can_be_retried(
    make_country: MakeCountry, make_worker: MakeWorker, receiver: ForwardReceiver
) -> None:
    country = make_country(FORWARD_ACTIONS_TO=receiver.url)
    asked = question("DECLARE")
    asked["actions"][-1]["declaration"]["child.name"] = {"firstname": "Natasha", "surname": "Mwale"}
    receiver.behave = always(422, f'"Natasha"\n  is not a name, write to amina@registry.test {"x" * 10_000}')
    country.ask(asked)
    worker = make_worker(country)
    with capture_logs() as logs:
        worker.run_until_idle()
    assert states(country) == [("failed", "the receiver answered 422: fix the receiver, then retry")]
    (row,) = rows(country)
    with country.database.reading() as connection:
        (answer,) = connection.scalars(select(attempts.c.answer).where(attempts.c.delivery_id == row.id))
    assert answer.startswith('422 "***" is not a name, write to ami***@***.test xxx')
    assert len(answer) <= 500
    assert "not a name" not in repr(logs)
    receiver.behave = always(200)
    operations.retry(country.database, [row.id])
    worker.run_until_idle()
    assert states(country) == [("sent", None)]
    assert receiver.ids == [row.id] * 2


@pytest.mark.parametrize(("status", "waits"), [(408, 5), (425, 5), (429, 77), (500, 5), (503, 77)])
def test_what_may_succeed_later_is_tried_again_after_the_pause_that_the_receiver_asks_for(
    make_country: MakeCountry, make_worker: MakeWorker, receiver: ForwardReceiver, status: int, waits: int
) -> None:
    country = make_country(FORWARD_ACTIONS_TO=receiver.url)
    receiver.behave = always(status, "sorry", Retry_After="77" if waits == 77 else "0")
    country.ask(question("DECLARE"))
    make_worker(country).run_until_idle()
    (row,) = rows(country)
    assert (row.state, row.reason, row.attempts) == ("queued", f"the receiver answered {status}", 1)
    assert waits * 0.7 < row.due_at - row.created_at < waits * 1.3 + 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(
    make_country: MakeCountry, make_worker: MakeWorker, receivers: HTTPServer, receiver: ForwardReceiver, status: int
) -> None:
    elsewhere = ForwardReceiver(receivers, "elsewhere")
    country = make_country(FORWARD_ACTIONS_TO=receiver.url)
    receiver.behave = always(status, Location=elsewhere.url)
    country.ask(question("DECLARE"))
    make_worker(country).run_until_idle()
    ((state, reason),) = states(country)
    assert (state, "redirects are not followed" in str(reason)) == ("failed", True)
    assert elsewhere.requests == []


def test_a_receiver_that_hangs_delays_no_other_and_no_code(
    make_country: MakeCountry, make_worker: MakeWorker, receivers: HTTPServer, receiver: ForwardReceiver
) -> None:
    hanging, over = ForwardReceiver(receivers, "hanging"), threading.Event()

    def hang(_: int) -> Response:
        over.wait(LONG_ENOUGH)
        return Response()

    hanging.behave = hang
    country = make_country(FORWARD_ACTIONS_TO=f"{hanging.url},{receiver.url}")
    worker = make_worker(country)
    for _ in range(20):
        country.ask(question("DECLARE"))
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        wait_for(lambda: len(receiver.requests) == 20 and hanging.requests)
        payload = {"recipient": {"email": "amina@registry.test"}, "code": "730164"}
        assert country.app.test_client().post("/triggers/user/2fa", json=payload).status_code == 200
        wait_for(lambda: "amina@registry.test" in country.app.test_client().get("/inbox").text)
        assert len(hanging.requests) == 1
    finally:
        over.set()
        worker.stop()
        thread.join(LONG_ENOUGH)


def test_a_hanging_receiver_is_waited_for_only_so_long(
    make_country: MakeCountry, make_worker: MakeWorker, receiver: ForwardReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.triggers.forwarder.TIMEOUT", 0.3)
    over = threading.Event()

    def hang(_: int) -> Response:
        over.wait(LONG_ENOUGH)
        return Response()

    receiver.behave = hang
    country = make_country(FORWARD_ACTIONS_TO=receiver.url)
    country.ask(question("DECLARE"))
    make_worker(country).run_until_idle()
    over.set()
    assert states(country) == [("queued", "no answer in time")]


def test_a_worker_that_is_killed_while_it_sends_is_followed_by_one_that_sends_again_under_the_same_id(
    make_country: MakeCountry, make_worker: MakeWorker, receiver: ForwardReceiver, tmp_path: Path
) -> None:
    over = threading.Event()

    def hang_once(number: int) -> Response:
        if number == 1:
            over.wait(LONG_ENOUGH)
        return Response()

    receiver.behave = hang_once
    country = make_country(FORWARD_ACTIONS_TO=receiver.url)
    asked = question("DECLARE")
    country.ask(asked)
    settings = country.settings
    environ = {
        "APP_ENV": "test",
        "DATABASE_URL": settings.database_url,
        "INSTANCE_DIR": str(settings.instance_dir),
        "COUNTRY_DIR": str(settings.country_dir),
        "SECRET_KEY": SECRET_KEY,
        "FORWARD_ACTIONS_TO": receiver.url,
    }
    killed = Command(["worker"], environ, tmp_path / "killed")
    try:
        wait_for(lambda: receiver.requests)
    finally:
        killed.end()
    over.set()
    with country.database.transaction() as connection:
        connection.execute(update(deliveries).where(deliveries.c.state == "sending").values(lease_until=now() - 1))
    worker = make_worker(country)
    worker._swept_at = float("-inf")
    worker.run_until_idle()
    worker.run_until_idle()
    assert receiver.documents == [accepted(asked)] * 2
    assert len(set(receiver.ids)) == 1
    assert states(country) == [("sent", None)]


def test_what_waits_for_a_url_that_is_not_listed_any_more_waits_until_it_is_again(
    make_country: MakeCountry, make_worker: MakeWorker, receiver: ForwardReceiver
) -> None:
    country = make_country(FORWARD_ACTIONS_TO=receiver.url)
    country.ask(question("DECLARE"))
    receiver.behave = always(503)
    make_worker(country).run_until_idle()
    without = make_country()
    due_now(without)
    make_worker(without).run_until_idle()
    ((state, reason),) = states(without)
    assert (state, "put it back" in str(reason)) == ("queued", True)
    receiver.behave = always(200)
    due_now(country)
    make_worker(country).run_until_idle()
    assert states(country) == [("sent", None)]


def test_a_number_that_no_json_can_say_is_a_dead_letter_and_not_tried_for_days(
    make_country: MakeCountry, make_worker: MakeWorker, receiver: ForwardReceiver
) -> None:
    country = make_country(FORWARD_ACTIONS_TO=receiver.url)
    asked = question("DECLARE")
    asked["actions"][-1]["declaration"]["huge"] = "HUGE"
    body = json.dumps(asked).replace('"HUGE"', "1e400")
    answer = country.app.test_client().post(
        f"/trigger/events/{asked['type']}/actions/DECLARE",
        data=body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {country.token(asked)}"},
    )
    assert answer.status_code == 200
    make_worker(country).run_until_idle()
    assert [state for state, _ in states(country)] == ["failed"]
