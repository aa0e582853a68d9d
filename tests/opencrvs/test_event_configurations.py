"""Event configurations that somebody asks for who must not wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from structlog.testing import capture_logs
from werkzeug import Request, Response

from app.opencrvs.event_configurations import (
    ASK_SOON,
    FRESH_FOR,
    ConfigurationsUnavailableError,
    EventConfigurations,
    configurations_in,
)
from app.opencrvs.event_forms import EventForms, forms_in
from tests.opencrvs.clock import Clock
from tests.records.configurations import BIRTH, birth

LONG = 10.0  # seconds


class Hanging:
    """A configuration server that says nothing until it is let go."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.go = threading.Event()

    def __call__(self, _: Request) -> Response:
        self.asked.release()
        assert self.go.wait(LONG)
        return Response('[{"id": "death"}]', mimetype="application/json")


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    made = Hanging()
    yield made
    made.go.set()


def joined() -> None:
    """What fetches in the background has ended."""
    for thread in threading.enumerate():
        if thread.name == "event-configurations":
            thread.join(LONG)


def test_what_is_not_known_is_fetched_in_the_background(httpserver: HTTPServer, hanging: Hanging) -> None:
    configurations = EventConfigurations(httpserver.url_for("/events"), clock=Clock())
    httpserver.expect_request("/events").respond_with_handler(hanging)
    assert configurations.known() is None
    assert hanging.asked.acquire(timeout=LONG)
    assert configurations.known() is None
    hanging.go.set()
    joined()
    known = configurations.known()
    assert known is not None
    assert known.listed == ({"id": "death"},)
    assert len(httpserver.log) == 1


def test_what_is_old_is_used_until_newer_is_there(httpserver: HTTPServer, hanging: Hanging) -> None:
    clock = Clock()
    configurations = EventConfigurations(httpserver.url_for("/events"), clock=clock)
    httpserver.expect_ordered_request("/events").respond_with_json([{"id": "birth"}])
    httpserver.expect_ordered_request("/events").respond_with_handler(hanging)
    first = configurations.current()
    clock.now += FRESH_FOR
    assert configurations.known() is first
    assert hanging.asked.acquire(timeout=LONG)
    assert configurations.current() is first
    hanging.go.set()
    joined()
    assert configurations.known() is not first


def test_a_server_that_is_away_is_asked_again_later(httpserver: HTTPServer) -> None:
    clock = Clock()
    configurations = EventConfigurations(httpserver.url_for("/events"), clock=clock)
    httpserver.expect_ordered_request("/events").respond_with_data("", 503)
    httpserver.expect_ordered_request("/events").respond_with_json([{"id": "birth"}])
    with capture_logs() as logs:
        assert configurations.known() is None
        joined()
    assert [(one["event"], one["reason"]) for one in logs] == [
        ("event_config.unavailable", "no event configurations there (answered 503)")
    ]
    assert configurations.known() is None
    assert len(httpserver.log) == 1
    clock.now += ASK_SOON
    configurations.known()
    joined()
    assert configurations.known() is not None


def test_who_can_wait_is_told_why_there_is_none() -> None:
    with pytest.raises(ConfigurationsUnavailableError, match=r"EVENT_CONFIG_URL: no answer \(ConnectionError\)"):
        EventConfigurations("http://127.0.0.1:1/events").current()


@pytest.mark.parametrize("value", [{}, None, "x", [1], [{}], [{"id": 1}]])
def test_what_is_not_a_list_of_configurations_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="event configuration"):
        configurations_in(value)


def test_forms_are_made_once_for_each_fetch(httpserver: HTTPServer) -> None:
    clock = Clock()
    httpserver.expect_request("/events").respond_with_json([BIRTH])
    configurations = EventConfigurations(httpserver.url_for("/events"), clock=clock)
    forms = EventForms(configurations)
    forms.prefetch()
    joined()
    first = forms.form_of("birth")
    assert first is not None
    assert forms.form_of("birth") is first
    assert forms.form_of("adoption") is None
    clock.now += FRESH_FOR
    configurations.current()
    assert forms.form_of("birth") is not first


def test_of_two_configurations_of_an_event_type_the_first_counts() -> None:
    forms = forms_in(configurations_in([birth(), {"id": "birth"}]))
    assert forms["birth"].declaration is not None


def test_without_a_url_no_form_is_known() -> None:
    forms = EventForms()
    forms.prefetch()
    assert forms.form_of("birth") is None


def test_when_no_thread_can_be_started_the_next_caller_tries_again(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    httpserver.expect_request("/events").respond_with_json([{"id": "birth"}])
    configurations = EventConfigurations(httpserver.url_for("/events"), clock=Clock())

    def refuse(_: Any) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert configurations.known() is None
    configurations.known()
    joined()
    assert configurations.known() is not None
