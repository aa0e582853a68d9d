"""Confirming at a core that behaves like the real one, and at one that does not answer."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.opencrvs.confirmations import (
    Confirmation,
    Confirmed,
    CoreEvents,
    RefusalCode,
    Refused,
    Unavailable,
    may_reject_late,
)
from app.records.actions import CONFIRMABLE
from tests.access.tokens import private_key, signed
from tests.cli.processes import free_port
from tests.opencrvs.core_events import Core, Mood
from tests.opencrvs.pending import ACTION, EVENT, REQUEST, TOKEN, accepting, event, pending, pending_json, rejecting


@pytest.fixture
def events(core: Core) -> CoreEvents:
    return CoreEvents(core.url, timeout=(1.0, 5.0))


@pytest.mark.parametrize("user_type", ["user", "system"])
@pytest.mark.parametrize("action_type", CONFIRMABLE)
def test_core_takes_every_accept_and_harmlessly_twice(
    core: Core, events: CoreEvents, action_type: str, user_type: str
) -> None:
    core.keep(event(action_type, createdByUserType=user_type))
    number = "2026LSK00012" if action_type == "REGISTER" else None
    action = pending(action_type, createdByUserType=user_type)
    confirmation = Confirmation.accepting(EVENT, action, registration_number=number, declaration={"a.b": 1})
    assert [events.confirm(confirmation, TOKEN) for _ in range(2)] == [Confirmed(), Confirmed()]
    (inserted,) = core.inserted(EVENT)
    assert (inserted["status"], inserted["originalActionId"], inserted["declaration"]) == (
        "Accepted",
        ACTION,
        {"a.b": 1},
    )
    assert core.calls[0].authorization == f"Bearer {TOKEN}"
    assert core.calls[0].fields == confirmation.fields


@pytest.mark.parametrize("user_type", ["user", "system"])
@pytest.mark.parametrize("action_type", CONFIRMABLE)
def test_core_takes_every_reject_that_may_come_late(
    core: Core, events: CoreEvents, action_type: str, user_type: str
) -> None:
    core.keep(event(action_type, createdByUserType=user_type))
    confirmation = Confirmation.rejecting(EVENT, pending(action_type, createdByUserType=user_type))
    outcome = events.confirm(confirmation, TOKEN)
    assert (outcome == Confirmed()) == may_reject_late(action_type)
    assert [one["status"] for one in core.inserted(EVENT)] == ["Rejected"] * may_reject_late(action_type)


def test_an_accept_after_a_reject_is_refused(core: Core, events: CoreEvents) -> None:
    core.keep(event("DECLARE"))
    events.confirm(rejecting("DECLARE"), TOKEN)
    outcome = events.confirm(accepting("DECLARE"), TOKEN)
    assert outcome == Refused(
        "core answered BAD_REQUEST: Action has already been rejected.", RefusalCode.ALREADY_REJECTED
    )


def test_a_reject_after_an_accept_looks_like_trouble_at_core(core: Core, events: CoreEvents) -> None:
    core.keep(event("DECLARE"))
    events.confirm(accepting("DECLARE"), TOKEN)
    outcome = events.confirm(rejecting("DECLARE"), TOKEN)
    assert outcome == Unavailable("core answered INTERNAL_SERVER_ERROR: Internal server error", destination_down=False)


def test_core_loses_a_confirmation_whose_transaction_it_has_seen(core: Core, events: CoreEvents) -> None:
    seen = pending_json("DECLARE", id=REQUEST, status="Accepted")
    core.keep({"id": EVENT, "actions": [seen, pending_json("DECLARE")]})
    assert events.confirm(accepting("DECLARE"), TOKEN) == Confirmed()
    assert core.inserted(EVENT) == []


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": 1}, "UNAUTHORIZED"),
        ({"eventId": EVENT, "actionId": REQUEST}, "FORBIDDEN"),
    ],
)
def test_a_token_for_something_else_is_refused(
    core: Core, events: CoreEvents, claims: dict[str, Any], code: str
) -> None:
    core.keep(event("DECLARE"))
    core.tokens = None
    outcome = events.confirm(accepting("DECLARE"), signed(private_key("core"), **claims))
    assert isinstance(outcome, Refused)
    assert code in outcome.reason


def test_a_token_that_core_has_not_made_is_refused(core: Core, events: CoreEvents) -> None:
    core.keep(event("DECLARE"))
    core.tokens = {TOKEN}
    outcome = events.confirm(accepting("DECLARE"), "another")
    assert isinstance(outcome, Refused)
    assert "UNAUTHORIZED" in outcome.reason


def test_an_event_that_core_does_not_know_is_refused(events: CoreEvents) -> None:
    outcome = events.confirm(accepting("DECLARE"), TOKEN)
    assert isinstance(outcome, Refused)
    assert "NOT_FOUND" in outcome.reason


@pytest.mark.parametrize(("mood", "down"), [(Mood.AWAY, True), (Mood.FAILING, False), (Mood.HTML, False)])
def test_a_core_in_a_bad_mood_takes_it_later(core: Core, events: CoreEvents, mood: Mood, down: bool) -> None:
    core.keep(event("DECLARE"))
    core.mood = mood
    outcome = events.confirm(accepting("DECLARE"), TOKEN)
    assert isinstance(outcome, Unavailable)
    assert outcome.destination_down == down
    core.mood = Mood.WELL
    assert events.confirm(accepting("DECLARE"), TOKEN) == Confirmed()
    assert (core.asked, len(core.calls), len(core.inserted(EVENT))) == (2, 1, 1)


def test_a_slow_core_is_not_waited_for(core: Core) -> None:
    core.mood = Mood.SLOW
    outcome = CoreEvents(core.url, timeout=(1.0, 0.3)).confirm(accepting("DECLARE"), TOKEN)
    assert outcome == Unavailable("no answer from core: ReadTimeout", destination_down=True)


def test_where_nobody_listens_core_is_down() -> None:
    outcome = CoreEvents(f"http://127.0.0.1:{free_port()}").confirm(accepting("DECLARE"), TOKEN)
    assert outcome == Unavailable("no answer from core: ConnectionError", destination_down=True)


@pytest.mark.parametrize("token", ["", "two words", "line\nend", "t\u00f6ken", "nul\x00"])
def test_a_token_that_no_header_holds_is_refused_unseen(core: Core, events: CoreEvents, token: str) -> None:
    outcome = events.confirm(accepting("DECLARE"), token)
    assert isinstance(outcome, Refused)
    assert not token or token not in outcome.reason
    assert core.asked == 0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), datetime(2026, 5, 1, tzinfo=UTC), {1, 2}])
def test_what_is_not_json_is_refused(core: Core, events: CoreEvents, value: object) -> None:
    outcome = events.confirm(accepting("DECLARE", declaration={"a": value}), TOKEN)
    assert isinstance(outcome, Refused)
    assert "not JSON" in outcome.reason
    assert core.asked == 0


def test_surrogates_and_nul_reach_core_as_they_are(core: Core, events: CoreEvents) -> None:
    core.keep(event("DECLARE"))
    value = "a\x00b\ud800c \U0001f600 é"
    assert events.confirm(accepting("DECLARE", declaration={"a": value}), TOKEN) == Confirmed()
    assert core.calls[0].fields["declaration"] == {"a": value}


def test_the_token_is_in_no_log_line(core: Core, events: CoreEvents, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for mood in (Mood.WELL, Mood.AWAY, Mood.FAILING):
        core.mood = mood
        events.confirm(accepting("DECLARE"), TOKEN)
    assert caplog.text
    assert TOKEN not in caplog.text


def test_a_netrc_does_not_replace_the_token(
    core: Core, events: CoreEvents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\nmachine localhost login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    core.keep(event("DECLARE"))
    assert events.confirm(accepting("DECLARE"), TOKEN) == Confirmed()
    assert core.calls[0].authorization == f"Bearer {TOKEN}"
