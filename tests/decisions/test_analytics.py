"""What is accepted for good is written for statistics, at once or once core has taken the confirmation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.analytics.store import AnalyticsStore
from app.database.engine import Database
from app.database.tables import deliveries
from app.outbox.worker import Worker
from tests.analytics.stored import in_table, made
from tests.decisions.conftest import DEFER, Country, Late, pending, question
from tests.opencrvs.core_events import Core

KEEP = "analytics('birth', fields=['child.dob'])\n"


@pytest.fixture
def analytics_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'analytics.db'}"


def rows(url: str) -> list[dict[str, Any]]:
    store = AnalyticsStore(Database(url))
    store.layout()
    found = in_table(store)
    store.database.close()
    return found


def written(country: Country) -> list[tuple[str, str | None]]:
    with country.database.reading() as connection:
        found = connection.execute(select(deliveries).where(deliveries.c.channel == "analytics")).all()
    return [(row.state, row.reason) for row in found]


def test_an_accepted_registration_is_written_with_its_number(
    make_country: Callable[..., Country], make_worker: Callable[[Country], Worker], analytics_url: str
) -> None:
    country = make_country(KEEP, ANALYTICS_DATABASE_URL=analytics_url)
    asked = question("REGISTER")
    number = country.ask(asked).get_json()["registrationNumber"]
    make_worker(country).run_until_idle()
    (row,) = [row for row in rows(analytics_url) if row["id"] == pending(asked)["id"]]
    assert (row["action_type"], row["status"], row["registration_number"]) == ("REGISTER", "Accepted", number)
    assert row["declaration"].keys() <= {"child_dob"}
    assert written(country) == [("sent", None)]


def test_a_deferred_action_is_written_once_core_has_taken_it(
    make_late: Callable[..., Late], analytics_url: str
) -> None:
    late = make_late(KEEP + DEFER, ANALYTICS_DATABASE_URL=analytics_url)
    asked = late.defer("DECLARE")
    late.work()
    assert rows(analytics_url) == []
    assert late.say(asked, "accept") == 202
    late.work()
    assert pending(asked)["id"] in {row["original_action_id"] for row in rows(analytics_url)}


def test_a_confirmation_is_written_also_where_a_newer_record_was_reindexed_meanwhile(
    make_late: Callable[..., Late], analytics_url: str
) -> None:
    late = make_late(KEEP + DEFER, ANALYTICS_DATABASE_URL=analytics_url)
    asked = late.defer("REGISTER")
    asked["updatedAt"] = asked["updatedAt"][:-5] + ".999Z"
    reindexed = AnalyticsStore(Database(analytics_url))
    assert reindexed.write([made(asked)]) == [None]
    assert late.say(asked, "accept", registrationNumber="2026B000001X") == 202
    late.work()
    (row,) = [row for row in rows(analytics_url) if row["action_type"] == "REGISTER"]
    assert (row["original_action_id"], row["registration_number"]) == (pending(asked)["id"], "2026B000001X")
    assert {row["declaration"].keys() <= {"child_dob"} for row in rows(analytics_url)} == {True}


def test_a_confirmation_is_written_also_where_core_answers_with_no_record(
    make_late: Callable[..., Late], analytics_url: str, core: Core
) -> None:
    late = make_late(KEEP + DEFER, ANALYTICS_DATABASE_URL=analytics_url)
    asked = late.defer("REGISTER")
    core.says_nothing = True
    assert late.say(asked, "accept", registrationNumber="2026B000001X") == 202
    late.work()
    (row,) = [row for row in rows(analytics_url) if row["action_type"] == "REGISTER"]
    assert (row["id"], row["registration_number"]) == (pending(asked)["id"], "2026B000001X")


def test_where_somebody_else_has_confirmed_the_number_that_core_has_is_written(
    make_late: Callable[..., Late], analytics_url: str, core: Core
) -> None:
    late = make_late(KEEP + DEFER, ANALYTICS_DATABASE_URL=analytics_url)
    asked = late.defer("REGISTER")
    core.confirm_elsewhere(asked["id"], pending(asked)["id"], registrationNumber="MOSIP-9")
    assert late.say(asked, "accept", registrationNumber="OURS-9") == 202
    late.work()
    assert [row["registration_number"] for row in rows(analytics_url) if row["action_type"] == "REGISTER"] == [
        "MOSIP-9"
    ]


def test_a_rejected_action_is_not_written(
    make_country: Callable[..., Country], make_worker: Callable[[Country], Worker], analytics_url: str
) -> None:
    country = make_country(
        KEEP + "@on_action('*', '*')\ndef no(action):\n    return Reject('no')\n", ANALYTICS_DATABASE_URL=analytics_url
    )
    assert country.ask(question("DECLARE")).status_code == 400
    make_worker(country).run_until_idle()
    assert (written(country), rows(analytics_url)) == ([], [])


def test_where_nothing_is_marked_nothing_is_owed(
    make_country: Callable[..., Country], make_worker: Callable[[Country], Worker]
) -> None:
    country = make_country()
    country.ask(question("DECLARE"))
    make_worker(country).run_until_idle()
    assert written(country) == []


def test_while_the_database_is_away_the_row_is_owed(
    make_country: Callable[..., Country], make_worker: Callable[[Country], Worker]
) -> None:
    country = make_country(KEEP, ANALYTICS_DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")
    assert country.ask(question("DECLARE")).status_code == 200
    make_worker(country).run_until_idle()
    assert [state for state, _ in written(country)] == ["queued"]
