"""Core's locations and administrative areas, asked for over real HTTP."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from structlog.testing import capture_logs
from werkzeug import Request, Response

from app.opencrvs.locations import AdministrativeArea, CoreLocations, Location, PlaceVersion, Refused, Unavailable
from app.opencrvs.trpc import LARGEST_ANSWER, LARGEST_LIST
from tests.access.tokens import private_key, signed
from tests.cli.processes import free_port
from tests.opencrvs.core_events import Core, Mood, Query
from tests.opencrvs.pending import TOKEN
from tests.opencrvs.places import LUSAKA, OFFICE, area_row, location_row, many, new_location_row


@pytest.fixture(scope="module")
def http_server() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield server


@pytest.fixture
def gateway_url(http_server: HTTPServer) -> str:
    """A gateway that has no answer yet."""
    http_server.clear()
    return http_server.url_for("/")


@pytest.fixture
def places(core: Core) -> CoreLocations:
    return CoreLocations(core.url, timeout=(1.0, 5.0))


def test_locations_come_by_our_names(core: Core, places: CoreLocations) -> None:
    core.locations = [
        location_row(),
        location_row(id="B", validUntil="2026-01-01T00:00:00.000Z", externalId=None),
        {"id": "c", "name": "Health Post", "administrativeAreaId": None, "validUntil": None, "locationType": None},
    ]
    assert places.locations(TOKEN) == (
        Location(OFFICE, "Lusaka Central Office", "LSK-01", LUSAKA, "CRVS_OFFICE"),
        Location("b", "Lusaka Central Office", None, LUSAKA, "CRVS_OFFICE", is_active=False),
        Location("c", "Health Post", None, None, None),
    )
    assert core.queries == [Query("locations.list", f"Bearer {TOKEN}")]


def test_administrative_areas_come_by_our_names(core: Core, places: CoreLocations) -> None:
    core.areas = [area_row(), {"id": "B", "name": "Kafue", "parentId": LUSAKA.upper(), "validUntil": None}]
    assert places.administrative_areas(TOKEN) == (
        AdministrativeArea(LUSAKA, "Lusaka", "LSK", None),
        AdministrativeArea("b", "Kafue", None, LUSAKA),
    )
    assert core.queries == [Query("administrativeAreas.list", f"Bearer {TOKEN}")]


def test_a_key_that_we_do_not_know_is_ignored(core: Core, places: CoreLocations) -> None:
    core.locations = [location_row(partOf=["tomorrow"])]
    assert places.locations(TOKEN) == (Location(OFFICE, "Lusaka Central Office", "LSK-01", LUSAKA, "CRVS_OFFICE"),)


@pytest.mark.parametrize(
    ("until", "is_active"),
    [(None, True), ("2999-01-01", True), ("2020-01-01T00:00:00.000Z", False), ("2020-01-01", False), ("soon", True)],
)
def test_core_2_0_says_until_when_a_place_is_open(
    core: Core, places: CoreLocations, until: str | None, is_active: bool
) -> None:
    core.locations, core.areas = [location_row(validUntil=until)], [area_row(validUntil=until)]
    locations, areas = places.locations(TOKEN), places.administrative_areas(TOKEN)
    assert isinstance(locations, tuple)
    assert isinstance(areas, tuple)
    assert (locations[0].is_active, areas[0].is_active) == (is_active, is_active)


def test_core_2_1_has_a_status_and_versions_in_its_place(core: Core, places: CoreLocations) -> None:
    core.locations = [new_location_row(status="inactive")]
    versions = (
        PlaceVersion("2000-01-01", "Lusaka Central Office", "LSK-01"),
        PlaceVersion("2026-06-01", "Lusaka Main Office", "LSK-02"),
    )
    assert places.locations(TOKEN) == (
        Location(OFFICE, "Lusaka Main Office", "LSK-02", LUSAKA, "CRVS_OFFICE", is_active=False, versions=versions),
    )


@pytest.mark.parametrize("versions", [5, [5], [{}], [{"effectiveFrom": 5, "name": "a"}], [{"effectiveFrom": "a"}]])
def test_versions_that_are_none_leave_the_row_out(core: Core, places: CoreLocations, versions: Any) -> None:
    core.locations = [location_row(versions=versions)]
    assert places.locations(TOKEN) == ()


@pytest.mark.parametrize(
    "row",
    [
        None,
        [],
        "Lusaka",
        {},
        *(location_row(id=value) for value in (None, 7, "", "\0", "x" * 101)),
        *(location_row(name=value) for value in (None, {"en": "Lusaka"})),
        *(location_row(**{name: 7}) for name in ("externalId", "administrativeAreaId", "validUntil", "locationType")),
    ],
)
def test_a_malformed_row_is_left_out_and_counted(core: Core, places: CoreLocations, row: Any) -> None:
    core.locations = [row, location_row(), row]
    with capture_logs() as logs:
        listed = places.locations(TOKEN)
    assert isinstance(listed, tuple)
    assert [one.id for one in listed] == [OFFICE]
    assert logs == [
        {"event": "locations.malformed", "log_level": "warning", "procedure": "locations.list", "left_out": 2}
    ]


def test_text_is_clean(core: Core, places: CoreLocations) -> None:
    core.areas = [area_row(name="Lu\0saka \ud800\U0001f600 é", externalId="L\0")]
    assert places.administrative_areas(TOKEN) == (AdministrativeArea(LUSAKA, "Lusaka \ufffd\U0001f600 é", "L", None),)


def test_a_country_of_twenty_thousand_locations_is_read_whole(core: Core, places: CoreLocations) -> None:
    core.locations = many(20_000)
    listed = places.locations(TOKEN)
    assert isinstance(listed, tuple)
    assert len(listed) == 20_000
    assert LARGEST_ANSWER < len(json.dumps(core.locations)) < LARGEST_LIST / 2


def test_no_more_than_the_largest_list_is_read(http_server: HTTPServer, gateway_url: str) -> None:
    def endless(_: Request) -> Response:
        def parts() -> Iterator[bytes]:
            yield b'[{"result":{"data":{"json":['
            for _ in range(4 * LARGEST_LIST // 65_536):
                yield b" " * 65_536
                sent.append(65_536)

        return Response(parts(), content_type="application/json")

    sent: list[int] = []
    http_server.expect_request("/events/locations.list").respond_with_handler(endless)
    outcome = CoreLocations(gateway_url).locations(TOKEN)
    assert isinstance(outcome, Refused)
    assert "larger than" in outcome.reason
    assert sum(sent) < 3 * LARGEST_LIST


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('[{"result":{"data":{"json":{}}}}]', "core answered locations.list with no list"),
        ('[{"result":{"data":{"json":null}}}]', "core answered locations.list with no list"),
        ('[{"result":{"data":{}}}]', "200, and not from core's events service: is GATEWAY_URL right?"),
        ('[{"result":{"data":{"json":[', "200, and not from core's events service: is GATEWAY_URL right?"),
        ('[{"result":[]}]', "200, and not from core's events service: is GATEWAY_URL right?"),
        ("", "200, and not from core's events service: is GATEWAY_URL right?"),
    ],
)
def test_an_answer_without_a_list_is_none(http_server: HTTPServer, gateway_url: str, body: str, reason: str) -> None:
    http_server.expect_request("/events/locations.list").respond_with_data(body)
    outcome = CoreLocations(gateway_url).locations(TOKEN)
    assert outcome == Unavailable(reason, destination_down=False)


@pytest.mark.parametrize(("mood", "down"), [(Mood.AWAY, True), (Mood.FAILING, False), (Mood.HTML, False)])
def test_a_core_in_a_bad_mood_lists_nothing(core: Core, places: CoreLocations, mood: Mood, down: bool) -> None:
    core.mood = mood
    outcome = places.locations(TOKEN)
    assert isinstance(outcome, Unavailable)
    assert outcome.destination_down == down
    assert "closed for the night" not in outcome.reason


def test_a_slow_core_is_not_waited_for(core: Core) -> None:
    core.mood = Mood.SLOW
    outcome = CoreLocations(core.url, timeout=(1.0, 0.3)).locations(TOKEN)
    assert outcome == Unavailable("no answer from core: ReadTimeout", destination_down=True)


def test_an_answer_that_drips_is_not_waited_for(http_server: HTTPServer, gateway_url: str) -> None:
    over = threading.Event()

    def drip(_: Request) -> Response:
        return Response(b" " for _ in iter(lambda: over.wait(0.05), True))

    http_server.expect_request("/events/locations.list").respond_with_handler(drip)
    outcome = CoreLocations(gateway_url, timeout=(1.0, 0.3)).locations(TOKEN)
    over.set()
    assert outcome == Unavailable("no answer from core: ReadTimeout", destination_down=True)


def test_where_nobody_listens_core_is_down() -> None:
    outcome = CoreLocations(f"http://someone:secret@127.0.0.1:{free_port()}").locations(TOKEN)
    assert outcome == Unavailable("no answer from core: ConnectionError", destination_down=True)


def test_redirects_are_not_followed(http_server: HTTPServer, gateway_url: str) -> None:
    http_server.expect_request("/elsewhere").respond_with_data('[{"result":{"data":{"json":[]}}}]')
    http_server.expect_request("/events/locations.list").respond_with_data(
        "", status=302, headers={"Location": http_server.url_for("/elsewhere")}
    )
    assert isinstance(CoreLocations(gateway_url).locations(TOKEN), Unavailable)
    assert [request.path for request, _ in http_server.log] == ["/events/locations.list"]


@pytest.mark.parametrize("token", ["another", signed(private_key("core"), exp=1), "", "two words", "line\nend"])
def test_a_token_that_core_does_not_take_is_refused_unseen(core: Core, places: CoreLocations, token: str) -> None:
    core.tokens = None if "." in token else {TOKEN}
    outcome = places.locations(token)
    assert isinstance(outcome, Refused)
    assert not token or token not in outcome.reason
    assert core.queries == []


def test_neither_token_nor_query_is_in_a_log_line(
    core: Core, places: CoreLocations, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    core.locations = [{}]
    with capture_logs() as logs:
        for mood in (Mood.WELL, Mood.AWAY, Mood.FAILING, Mood.HTML):
            core.mood = mood
            places.locations(TOKEN)
    assert logs
    assert caplog.text
    assert TOKEN not in caplog.text + repr(logs)
    assert "batch" not in repr(logs)
