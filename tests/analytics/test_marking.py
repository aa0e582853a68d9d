"""Which fields may be kept: by event configurations, by rules, and while the configurations are away."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from structlog.testing import capture_logs

from app.analytics.event_configs import ConfiguredMarkings
from app.analytics.marking import MarkingsOfCountry, MarkingUnavailable, markings_in
from app.country import Country, birth_figures
from app.country.country import AnalyticsRule
from app.opencrvs.event_configurations import ASK_AGAIN_AFTER, FRESH_FOR, EventConfigurations
from tests.opencrvs.clock import Clock


def config(event_type: str = "birth", *fields: str, **changes: Any) -> dict[str, Any]:
    listed = [{"id": field, "analytics": True} for field in fields]
    return {"id": event_type, "analytics": True, "declaration": {"pages": [{"id": "p", "fields": listed}]}} | changes


def test_only_what_says_so_is_marked() -> None:
    fields = [
        {"id": "a.b", "analytics": True},
        {"id": "c"},
        {"id": "d", "analytics": "true"},
        {"id": "e", "analytics": 1},
    ]
    found = markings_in([config(declaration={"pages": [{"fields": fields}]}), config("death", "x", analytics=False)])
    assert found.keys() == {"birth"}
    assert found["birth"].declaration == {"a.b": "a_b"}
    assert found["birth"].annotation == {}


def test_fields_of_annotations_are_found_wherever_a_form_nests_them() -> None:
    actions = [{"type": "PRINT", "printForm": {"pages": [{"fields": [{"id": "collector", "analytics": True}]}]}}]
    assert markings_in([config(actions=actions)])["birth"].annotation == {"collector": "collector"}


def test_a_rule_goes_before_the_configuration_of_its_event_type() -> None:
    rules = {
        "birth": AnalyticsRule(frozenset({"child.dob"}), None),
        "death": AnalyticsRule(None, birth_figures),
        "marriage": AnalyticsRule(None, birth_figures),
    }
    configured = markings_in([config("birth", "x.y"), config("death", "z"), config("adoption", "w")])
    markings = MarkingsOfCountry(Country(analytics=rules), lambda: configured)
    birth, death, adoption = (markings.of(kind) for kind in ("birth", "death", "adoption"))
    assert birth is not None
    assert (birth.declaration, birth.computing) == ({"child.dob": "child_dob"}, None)
    assert death is not None
    assert death.computing is not None
    assert (death.declaration, death.computing.function) == ({"z": "z"}, birth_figures)
    assert adoption is not None
    assert adoption.computing is None
    assert markings.of("marriage") is None
    assert not MarkingsOfCountry(Country()).may_concern("birth")


def test_configurations_are_asked_for_once_and_again_when_they_are_old(httpserver: HTTPServer) -> None:
    clock = Clock()
    configured = ConfiguredMarkings(EventConfigurations(httpserver.url_for("/events"), clock=clock))
    httpserver.expect_ordered_request("/events").respond_with_json([config("birth", "a")])
    httpserver.expect_ordered_request("/events").respond_with_json([config("death", "b")])
    assert configured().keys() == {"birth"}
    clock.now += FRESH_FOR - 1
    assert configured().keys() == {"birth"}
    clock.now += 1
    assert configured().keys() == {"death"}
    assert len(httpserver.log) == 2


def test_a_mark_that_goes_is_told_and_so_is_that_there_is_none(httpserver: HTTPServer) -> None:
    clock = Clock()
    configured = ConfiguredMarkings(EventConfigurations(httpserver.url_for("/events"), clock=clock))
    first = [config("birth", "a", "b"), config("death")]
    for answer in ([], first, [config("birth", "b", "c")], [config("birth", "b", "c")], [], []):
        httpserver.expect_ordered_request("/events").respond_with_json(answer)
    told = []
    for _ in range(6):
        with capture_logs() as logs:
            configured()
        told.append([one.get("marks", one["event"]) for one in logs])
        clock.now += FRESH_FOR
    assert told == [["event_config.marks_nothing"], [], [["birth: a", "death"]], [], [["birth"]], []]


@pytest.mark.parametrize("answer", ["nothing", "<html>", "{}", "redirect"])
def test_what_was_known_is_used_while_they_are_away(httpserver: HTTPServer, answer: str) -> None:
    clock = Clock()
    configured = ConfiguredMarkings(EventConfigurations(httpserver.url_for("/events"), clock=clock))
    httpserver.expect_ordered_request("/events").respond_with_json([config("birth", "a")])
    if answer == "redirect":
        httpserver.expect_ordered_request("/events").respond_with_data("", 302, {"Location": "/elsewhere"})
    else:
        httpserver.expect_ordered_request("/events").respond_with_data(answer)
    httpserver.expect_ordered_request("/events").respond_with_json([config("death", "b")])
    assert configured().keys() == {"birth"}
    clock.now += FRESH_FOR
    assert configured().keys() == {"birth"}
    clock.now += ASK_AGAIN_AFTER
    assert configured().keys() == {"death"}


def test_where_they_could_never_be_had_nothing_may_be_kept() -> None:
    clock = Clock()
    configured = ConfiguredMarkings(EventConfigurations("http://127.0.0.1:1/events", clock=clock))
    with pytest.raises(MarkingUnavailable, match="EVENT_CONFIG_URL: no answer"):
        configured()
