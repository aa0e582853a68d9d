"""Event configurations that are slow to be had."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from app.analytics.event_configs import ConfiguredMarkings
from app.analytics.marking import Marking
from app.opencrvs.event_configurations import FRESH_FOR, EventConfigurations
from tests.analytics.test_marking import config
from tests.opencrvs.clock import Clock

LONG = 10.0  # seconds


class Slow:
    """An answer that is on its way until it is let go."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.go = threading.Event()

    def __call__(self, _: Request) -> Response:
        self.asked.release()
        assert self.go.wait(LONG)
        return Response('[{"id": "death", "analytics": true}]', mimetype="application/json")


@pytest.fixture
def slow() -> Iterator[Slow]:
    made = Slow()
    yield made
    made.go.set()


@pytest.fixture
def in_thread() -> Iterator[Callable[[ConfiguredMarkings], Future[Mapping[str, Marking]]]]:
    with ThreadPoolExecutor(4) as pool:
        yield pool.submit


def test_while_one_thread_asks_the_others_use_what_is_known(
    httpserver: HTTPServer, slow: Slow, in_thread: Callable[[ConfiguredMarkings], Future[Mapping[str, Marking]]]
) -> None:
    clock = Clock()
    configured = ConfiguredMarkings(EventConfigurations(httpserver.url_for("/events"), clock=clock))
    httpserver.expect_ordered_request("/events").respond_with_json([config("birth", "a")])
    httpserver.expect_ordered_request("/events").respond_with_handler(slow)
    assert configured().keys() == {"birth"}
    clock.now += FRESH_FOR
    asking = in_thread(configured)
    assert slow.asked.acquire(timeout=LONG)
    assert in_thread(configured).result(LONG / 5).keys() == {"birth"}
    assert not asking.done()
    slow.go.set()
    assert asking.result(LONG).keys() == {"death"}
    assert configured().keys() == {"death"}


def test_where_nothing_is_known_all_wait_for_the_one_that_asks(
    httpserver: HTTPServer, slow: Slow, in_thread: Callable[[ConfiguredMarkings], Future[Mapping[str, Marking]]]
) -> None:
    configured = ConfiguredMarkings(EventConfigurations(httpserver.url_for("/events"), clock=Clock()))
    httpserver.expect_ordered_request("/events").respond_with_handler(slow)
    asking = [in_thread(configured) for _ in range(3)]
    assert slow.asked.acquire(timeout=LONG)
    slow.go.set()
    assert [one.result(LONG).keys() for one in asking] == [{"death"}] * 3
    assert len(httpserver.log) == 1
