"""Offices where core, the database or another process is not as one would like."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_httpserver import HTTPServer
from structlog.testing import capture_logs
from werkzeug import Request, Response

from app.database.engine import Database, DatabaseAway
from app.opencrvs.locations import CoreLocations
from app.opencrvs.offices import ASK_AGAIN_AFTER, FRESH_FOR, LOOK_AGAIN_AFTER, Office, Offices
from tests.cli.processes import free_port, wait_for
from tests.opencrvs.clock import Clock
from tests.opencrvs.conftest import Make, Wait
from tests.opencrvs.core_events import Core, Mood
from tests.opencrvs.pending import TOKEN
from tests.opencrvs.places import LUSAKA_CENTRAL, OFFICE, location_row, many


@pytest.fixture(scope="module")
def http_server() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield server


@pytest.mark.parametrize("mood", [Mood.AWAY, Mood.FAILING, Mood.HTML, Mood.SLOW])
def test_old_names_are_better_than_none(core: Core, make_offices: Make, pass_time: Wait, mood: Mood) -> None:
    make_offices().fill(TOKEN)
    offices = make_offices(answer=0.2)
    core.mood = mood
    pass_time(100 * FRESH_FOR)
    offices.fill(TOKEN, OFFICE)
    offices.close()
    assert core.asked == 2
    assert offices.find(OFFICE) == LUSAKA_CENTRAL


@pytest.mark.parametrize("mood", [Mood.AWAY, Mood.FAILING, Mood.HTML, Mood.SLOW])
def test_a_core_that_is_away_is_left_alone_for_a_minute(
    core: Core, make_offices: Make, clock: Clock, mood: Mood
) -> None:
    offices = make_offices(answer=1.0)
    core.mood = mood
    for clock.now in (0.0, 1.0, ASK_AGAIN_AFTER - 1):
        offices.fill(TOKEN, OFFICE)
        assert offices.find(OFFICE) is None
    assert core.asked == 1
    core.mood = Mood.WELL
    clock.now = ASK_AGAIN_AFTER
    offices.fill(TOKEN, OFFICE)
    assert offices.find(OFFICE) == LUSAKA_CENTRAL


def test_a_token_that_core_does_not_take_leaves_it_blank_until_the_next_one(
    core: Core, offices: Offices, clock: Clock
) -> None:
    core.tokens = {TOKEN}
    with capture_logs() as logs:
        offices.fill("an-expired-token", OFFICE)
    assert offices.find(OFFICE) is None
    assert [(line["event"], line["reason"]) for line in logs] == [
        ("locations.unavailable", "core answered UNAUTHORIZED: UNAUTHORIZED")
    ]
    clock.now += ASK_AGAIN_AFTER
    offices.fill(TOKEN, OFFICE)
    assert offices.find(OFFICE) == LUSAKA_CENTRAL


def test_who_comes_while_core_is_asked_waits_for_the_same_answer(core: Core, offices: Offices) -> None:
    def find() -> Office | None:
        together.wait()
        offices.fill(TOKEN, OFFICE)
        return offices.find(OFFICE)

    together = threading.Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        found = [future.result() for future in [pool.submit(find) for _ in range(8)]]
    assert found == [LUSAKA_CENTRAL] * 8
    assert core.asked == 1


class Pausing:
    """A core that lists one location, but not before it is told to."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("")
        self.times_asked = 0
        self.go_on = threading.Event()
        server.clear()
        server.expect_request("/events/locations.list").respond_with_handler(self._answer)

    def _answer(self, _: Request) -> Response:
        self.times_asked += 1
        self.go_on.wait(10)
        return Response('[{"result":{"data":{"json":[{"id":"1","name":"Lusaka"}]}}}]')


@pytest.fixture
def pausing(http_server: HTTPServer) -> Iterator[Pausing]:
    core = Pausing(http_server)
    yield core
    core.go_on.set()


def test_an_answer_that_comes_late_is_kept_though_nobody_waits(pausing: Pausing, make_offices: Make) -> None:
    offices = make_offices(url=pausing.url, answer=30.0, patience=0.1)
    offices.fill(TOKEN, "1")
    assert offices.find("1") is None
    pausing.go_on.set()
    wait_for(lambda: offices.find("1") == Office("1", "Lusaka", ""))
    assert pausing.times_asked == 1


def test_who_comes_when_core_has_been_waited_for_long_enough_does_not_wait(
    pausing: Pausing, make_offices: Make, clock: Clock
) -> None:
    offices = make_offices(url=pausing.url, answer=30.0, patience=30.0)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(offices.fill, TOKEN, "1")
        wait_for(lambda: pausing.times_asked == 1)
        clock.now = 30.0
        offices.fill(TOKEN, "1")
        assert offices.find("1") is None
        assert not first.done()
        pausing.go_on.set()
    assert offices.find("1") == Office("1", "Lusaka", "")


def test_who_is_in_a_hurry_leaves_it_to_the_next_one(pausing: Pausing, make_offices: Make) -> None:
    offices = make_offices(url=pausing.url, answer=30.0, patience=30.0)
    offices.fill(TOKEN, "1", wait=False)
    assert offices.find("1") is None
    pausing.go_on.set()
    offices.fill(TOKEN, "1")
    assert offices.find("1") == Office("1", "Lusaka", "")
    assert pausing.times_asked == 1


def test_a_core_without_locations_is_asked_again_after_a_minute(core: Core, offices: Offices, clock: Clock) -> None:
    core.locations = []
    with capture_logs() as logs:
        for _ in range(3):
            offices.fill(TOKEN, OFFICE)
    assert (core.asked, offices.find(OFFICE)) == (1, None)
    assert [(line["event"], line["listed"]) for line in logs] == [("locations.refreshed", 0)]
    core.locations = [location_row()]
    clock.now += ASK_AGAIN_AFTER
    offices.fill(TOKEN, OFFICE)
    assert offices.find(OFFICE) == LUSAKA_CENTRAL


def test_processes_that_refresh_at_once_do_not_hurt_each_other(
    http_server: HTTPServer, make_offices: Make, database_url: str, pass_time: Wait
) -> None:
    def answer(request: Request) -> Response:
        both_asked.wait(10)
        return Response(json.dumps([{"result": {"data": {"json": answers[request.path.split("/")[1]]}}}]))

    http_server.clear()
    http_server.expect_request(re.compile("/.*/events/locations.list")).respond_with_handler(answer)
    both_asked = threading.Barrier(2)
    rows = many(3_000)
    answers = {"forward": rows, "backward": rows[::-1]}
    databases = [Database(database_url) for _ in answers]
    processes = [
        make_offices(on=one, url=http_server.url_for(f"/{path}"), patience=30.0)
        for one, path in zip(databases, answers, strict=True)
    ]
    with capture_logs() as logs, ThreadPoolExecutor(2) as pool:
        for number in range(1, 4):
            list(pool.map(lambda offices: offices.fill(TOKEN, "unknown"), processes))
            assert [line["event"] for line in logs] == ["locations.refreshed"] * 2 * number
            pass_time(LOOK_AGAIN_AFTER)
    assert [process.find(rows[0]["id"]) for process in processes] == [
        Office(rows[0]["id"], "Health Post 0", "LSK-01")
    ] * 2
    for one in databases:
        one.close()


def test_a_clock_that_was_set_back_does_not_keep_them_fresh(
    core: Core, offices: Offices, pass_time: Wait, clock: Clock
) -> None:
    offices.fill(TOKEN)
    core.locations = [location_row(name="Lusaka Main Office")]
    pass_time(-30 * 24 * 3600.0)
    clock.now = ASK_AGAIN_AFTER
    offices.fill(TOKEN, OFFICE)
    assert offices.find(OFFICE) == Office(OFFICE, "Lusaka Main Office", "LSK-01")
    offices.fill(TOKEN, OFFICE)
    assert core.asked == 2


def test_once_closed_core_is_asked_no_more(core: Core, offices: Offices) -> None:
    offices.close()
    offices.fill(TOKEN, OFFICE)
    assert core.asked == 0


def test_what_comes_after_the_close_is_not_kept(pausing: Pausing, make_offices: Make) -> None:
    offices = make_offices(url=pausing.url, answer=30.0, patience=0.0)
    offices.fill(TOKEN, "1")
    offices.close()
    with capture_logs() as logs:
        pausing.go_on.set()
        wait_for(lambda: "offices" not in {thread.name for thread in threading.enumerate()})
    assert (logs, offices.find("1")) == ([], None)


def test_a_database_that_is_away_is_said() -> None:
    database = Database(f"postgresql://nobody@127.0.0.1:{free_port()}/none")
    offices = Offices(database, CoreLocations("http://127.0.0.1:1"))
    with pytest.raises(DatabaseAway):
        offices.find(OFFICE)
    with pytest.raises(DatabaseAway):
        offices.fill(TOKEN, OFFICE)
    database.close()


def test_a_refresh_that_cannot_be_kept_is_logged(core: Core, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.database.engine.SQLITE_BUSY_TIMEOUT", 0.1)
    core.locations = [location_row()]
    busy, database = Database(sqlite_url), Database(sqlite_url)
    offices = Offices(database, CoreLocations(core.url))
    with capture_logs() as logs, busy.transaction():
        offices.fill(TOKEN, OFFICE)
    assert [(line["event"], line["log_level"]) for line in logs] == [("locations.not_kept", "warning")]
    assert offices.find(OFFICE) is None
    assert TOKEN not in repr(logs)
    for one in (busy, database):
        one.close()
