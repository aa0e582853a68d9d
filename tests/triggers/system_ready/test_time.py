"""Core gives up after five seconds and calls again: each call ends in time, and none registers what another does."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs
from werkzeug import Response

from tests.opencrvs.core_integrations import EventsService
from tests.triggers.system_ready import hanging
from tests.triggers.system_ready.conftest import OWN, MakeRegistry, Registry, seconds_of

MakeHurried = Callable[..., Registry]

WANTED = json.dumps([{"name": name, "scopes": ["record.read"]} for name in ("health", "id", "tax")])
LIMIT = 2.0  # seconds, of which core has all but half a one
IN_TIME = LIMIT + 1.0  # with some for a busy machine; what hangs does so for ten


@pytest.mark.parametrize("offers_list", [True, False])
@pytest.mark.parametrize("processes", [1, 2])
def test_calls_at_the_same_time_register_each_name_once(
    make_registry: MakeRegistry, events_service: EventsService, offers_list: bool, processes: int
) -> None:
    events_service.offers_list = offers_list
    first = make_registry(INTEGRATIONS=WANTED, **OWN)
    second = make_registry(INTEGRATIONS=WANTED, **OWN) if processes == 2 else first
    assert first.call_at_once(second, first, second) == [200] * 4
    assert events_service.names() == [*(["country-config"] if offers_list else []), "health", "id", "tax"]


def test_a_core_that_hangs_is_answered_in_time_and_all_is_done_at_the_next_call(
    make_hurried: MakeHurried, events_service: EventsService
) -> None:
    registry = make_hurried(LIMIT, INTEGRATIONS=WANTED, **OWN)
    events_service.before_list = events_service.hang
    failures: dict[str, str] = {}
    assert seconds_of(lambda: failures.update(registry.failures())) < IN_TIME
    assert set(failures) == {"country-config", "health", "id", "tax"}
    assert events_service.created == []
    events_service.end()
    events_service.before_list = lambda: None
    assert registry.call().status_code == 200
    assert events_service.names() == ["country-config", "health", "id", "tax"]


def test_one_that_is_slow_uses_up_the_time_of_all(make_hurried: MakeHurried, events_service: EventsService) -> None:
    registry = make_hurried(LIMIT, INTEGRATIONS=WANTED, **OWN)
    events_service.before_create = lambda: events_service.hang() if events_service.clients else None
    failures: dict[str, str] = {}
    assert seconds_of(lambda: failures.update(registry.failures())) < IN_TIME
    assert set(failures) == {"health", "id", "tax"}
    assert "may have registered" in failures["health"]
    assert "no time was left" in failures["id"]
    assert events_service.names() == ["country-config"]


def test_an_answer_that_comes_by_the_byte_does_not_take_longer(
    make_hurried: MakeHurried, events_service: EventsService
) -> None:
    def drops() -> Response:
        return Response((b" " for _ in iter(lambda: events_service.wait(0.1), True)), headers={"Connection": "close"})

    registry = make_hurried(LIMIT, **OWN)
    events_service.before_list = drops
    assert seconds_of(registry.failures) < IN_TIME


def test_a_rule_that_hangs_holds_up_no_answer_and_registers_nothing_afterwards(
    make_hurried: MakeHurried, events_service: EventsService
) -> None:
    rules = (
        "from app.country import on_system_ready\nfrom tests.triggers.system_ready import hanging\n"
        "@on_system_ready\ndef ready(system):\n"
        "    system.register(system.integrations[0])\n    hanging.released.wait(10)\n"
        "    system.register(system.integrations[1])\n"
    )
    registry = make_hurried(LIMIT, rules, INTEGRATIONS=WANTED)
    hanging.released.clear()
    failures: dict[str, str] = {}
    with capture_logs() as logs:
        assert seconds_of(lambda: failures.update(registry.failures())) < IN_TIME
    assert "not everything was done" in failures[""]
    assert "system_ready.timed_out" in [line["event"] for line in logs]
    hanging.released.set()
    assert registry.call().status_code == 200
    assert events_service.names() == ["health", "id"]
