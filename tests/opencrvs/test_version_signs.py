"""The signs by which the versions of core are known."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from app.database.engine import Database
from app.database.tables import core_signs
from app.opencrvs.version_signs import Sign, VersionSigns
from tests.opencrvs.clock import Clock

DAY = 86_400.0


@pytest.fixture
def signs(database: Database, clock: Clock) -> VersionSigns:
    return VersionSigns(database, clock)


def test_what_core_shows_is_seen_by_every_process(database: Database, signs: VersionSigns) -> None:
    signs.record(Sign.SERVICE)
    signs.record(Sign.UNKNOWN_ACTION_TYPE, "REVOKE_REGISTRATION")
    seen = VersionSigns(database).seen(DAY)
    assert [(one.sign, one.detail) for one in seen] == [
        (Sign.SERVICE, ""),
        (Sign.UNKNOWN_ACTION_TYPE, "REVOKE_REGISTRATION"),
    ]


def test_a_sign_is_kept_once_an_hour_and_its_first_time_stays(signs: VersionSigns, clock: Clock) -> None:
    signs.record(Sign.ACTION_BOUND)
    (first,) = signs.seen(DAY)
    signs.record(Sign.ACTION_BOUND)
    assert signs.seen(DAY) == [first]
    clock.now += 3_601
    signs.record(Sign.ACTION_BOUND)
    (again,) = signs.seen(DAY)
    assert again.first_seen_at == first.first_seen_at
    assert again.last_seen_at > first.last_seen_at


def test_an_unknown_action_type_is_logged_once_with_what_it_means(signs: VersionSigns) -> None:
    with capture_logs() as logs:
        signs.record(Sign.UNKNOWN_ACTION_TYPE, "REVOKE_REGISTRATION")
        signs.record(Sign.UNKNOWN_ACTION_TYPE, "REVOKE_REGISTRATION")
    (line,) = logs
    assert (line["event"], line["log_level"], line["detail"]) == ("core_sign.seen", "warning", "REVOKE_REGISTRATION")
    assert "newer" in line["hint"]


def test_made_up_details_do_not_fill_the_database(signs: VersionSigns) -> None:
    for number in range(300):
        signs.record(Sign.UNKNOWN_ACTION_TYPE, f"TYPE_{number}")
    assert len(signs.seen(DAY)) == 200


def test_a_database_that_is_away_is_logged_and_nothing_is_raised() -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/none")
    with capture_logs() as logs:
        VersionSigns(away).record(Sign.UNAUTHENTICATED)
    away.close()
    assert "core_sign.not_kept" in [line["event"] for line in logs]


def test_an_announcement_of_core_says_nothing_of_its_event_actions(signs: VersionSigns) -> None:
    signs.record(Sign.ACTION_BOUND)
    signs.record(Sign.SERVICE, "user/all-user-notification")
    assert not signs.is_core_2_1()


def test_an_upgrade_and_a_downgrade_are_seen_with_the_next_event_action(
    database: Database, signs: VersionSigns
) -> None:
    seen = []
    for sign in (Sign.ACTION_BOUND, Sign.SERVICE, Sign.ACTION_BOUND, Sign.SERVICE):
        signs.record(sign)
        seen.append(signs.is_core_2_1())
        with database.transaction() as connection:  # as if it had been a second ago
            connection.execute(update(core_signs).values(last_seen_at=core_signs.c.last_seen_at - 1))
    assert seen == [False, True, False, True]
