"""Rules and numbers know the office's own code, and wait for it where they need it and it is not known yet."""

from __future__ import annotations

from collections.abc import Callable

from app.outbox.worker import Worker
from tests.decisions.conftest import Country, pending, question
from tests.opencrvs.core_events import Core, Mood
from tests.opencrvs.places import location_row

NUMBER = (
    "@registration_number('birth')\n"
    "def number(action, serial):\n"
    "    return f'{action.year}-{action.office_code}-{serial:06d}'\n"
)

MakeCountry = Callable[..., Country]
MakeWorker = Callable[[Country], Worker]


def test_the_first_number_waits_for_the_code_and_the_next_has_it_at_once(
    make_country: MakeCountry, make_worker: MakeWorker, core: Core
) -> None:
    country = make_country(NUMBER, GATEWAY_URL=core.url)
    worker = make_worker(country)
    first, second = question("REGISTER"), question("REGISTER")
    office = pending(first)["createdAtLocation"]
    core.locations = [location_row(id=office, externalId="LSK")]
    core.keep(first)
    assert country.ask(first).status_code == 202
    worker.run_until_idle()
    assert core.calls[0].fields["registrationNumber"] == "2026-LSK-000001"
    pending_location(second, office)
    answer = country.ask(second)
    assert answer.status_code == 200
    assert (answer.json or {})["registrationNumber"] == "2026-LSK-000002"


def test_a_number_is_never_made_without_the_code_it_needs(
    make_country: MakeCountry, make_worker: MakeWorker, core: Core
) -> None:
    core.mood = Mood.AWAY
    country = make_country(NUMBER, GATEWAY_URL=core.url)
    worker = make_worker(country)
    document = question("REGISTER")
    core.keep(document)
    assert country.ask(document).status_code == 202
    worker.run_until_idle()
    assert core.calls == []


def pending_location(document: dict[str, object], office: str) -> None:
    """Have its pending action asked for in this office."""
    wanted = pending(document)["id"]
    actions = document["actions"]
    assert isinstance(actions, list)
    next(action for action in actions if action["id"] == wanted)["createdAtLocation"] = office
