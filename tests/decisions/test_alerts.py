"""What waits for too long is said: once for each cause, in the log at once, and by few mails."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select, update
from structlog.testing import capture_logs

from app.database.clock import now
from app.database.tables import chores, decisions
from app.decisions.alerts import Alerts
from app.decisions.causes import Cause
from app.decisions.questions import NEVER
from app.encryption import Cipher
from app.notifications.inbox import Inbox
from app.outbox import operations
from tests.conftest import SECRET_KEY
from tests.decisions.conftest import Late, pending
from tests.opencrvs.core_events import Mood

DAY = 86_400
QUARTER = 15 * 60

MakeLate = Callable[..., Late]


@pytest.fixture
def late(make_late: MakeLate) -> Late:
    return make_late(ALERT_EMAIL="operator@registry.test")


def defer(late: Late, days: float = 3) -> dict[str, Any]:
    """Have core ask and be told to wait, with a token that is good for this long."""
    return late.defer("DECLARE", exp=int(time.time() + days * DAY))


def change(late: Late, document: dict[str, Any], **seconds: float) -> None:
    """Set times of its decision, as seconds from now."""
    of_it = decisions.c.action_id == pending(document)["id"]
    with late.country.database.transaction() as connection:
        connection.execute(
            update(decisions).where(of_it).values({name: now() + value for name, value in seconds.items()})
        )


def pass_time(late: Late, seconds: float) -> None:
    """As if the last mail had gone out so much earlier."""
    with late.country.database.transaction() as connection:
        connection.execute(update(chores).values(done_at=chores.c.done_at - seconds))


def round_of_chores(late: Late) -> list[tuple[str, str]]:
    """Returns what was logged: the ids of actions, and the causes."""
    late.worker._chores_done_at = float("-inf")
    with capture_logs() as logs:
        late.work()
    return [(line["action_id"], line["causes"]) for line in logs if line["event"] == "decision.open"]


def alerts_to(late: Late, address: str = "operator@registry.test", language: str = "en") -> Alerts:
    return Alerts(late.country.database, Cipher([SECRET_KEY]), address, "inbox", language, has_client=False)


def mails(late: Late) -> list[Any]:
    """The newest first."""
    return list(Inbox(late.country.database, Cipher([SECRET_KEY])).newest())


def listed(text: str) -> list[list[str]]:
    """The rows of the table in a mail's text."""
    rows = [line.split(" | ") for line in text.splitlines() if " | " in line]
    return rows[1:]


def scraped(late: Late) -> dict[str, float]:
    """The metrics by their names and labels."""
    lines = late.country.app.test_client().get("/metrics").text.splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def test_what_is_not_late_is_not_said(late: Late) -> None:
    defer(late)
    assert round_of_chores(late) == []
    assert mails(late) == []


def test_what_is_late_is_said_in_the_log_the_metrics_and_a_mail(late: Late) -> None:
    soon = defer(late, days=0.5)
    defer(late, days=3)
    assert round_of_chores(late) == [(pending(soon)["id"], "ending")]
    assert scraped(late)["country_config_decisions_late"] == 1
    (mail,) = mails(late)
    assert mail.to == ("operator@registry.test",)
    ((record, state, until),) = listed(mail.text)
    assert record == f"{soon['trackingId']} birth DECLARE"
    assert state == "deferred: less than a day left"
    assert until.endswith(" UTC")
    assert "country-config confirmations list" in mail.text


def test_each_cause_is_said_once(late: Late) -> None:
    document = defer(late)
    change(late, document, deadline=-1)
    action_id = pending(document)["id"]
    assert round_of_chores(late) == [(action_id, "undecided")]
    assert round_of_chores(late) == []
    change(late, document, token_expires_at=DAY - 60)
    assert round_of_chores(late) == [(action_id, "undecided ending")]
    assert round_of_chores(late) == []
    late.core.tokens = set()  # core takes none any more
    assert late.say(document, "accept") == 202
    late.work()
    assert round_of_chores(late) == [(action_id, "ending refused")]
    assert round_of_chores(late) == []
    pass_time(late, QUARTER)
    round_of_chores(late)
    newest, first = mails(late)
    assert [row[1] for row in listed(first.text)] == ["deferred: not decided in time"]
    assert [row[1] for row in listed(newest.text)] == ["refused: less than a day left, OpenCRVS refused the answer"]


def test_what_is_refused_once_more_after_a_new_word_is_said_once_more(late: Late) -> None:
    document = defer(late)
    change(late, document, token_expires_at=DAY - 60)
    late.core.tokens = set()
    for _ in range(2):
        assert late.say(document, "accept") == 202
        late.work()
        assert round_of_chores(late) == [(pending(document)["id"], "ending refused")]
        pass_time(late, QUARTER)
    assert round_of_chores(late) == []
    assert len(mails(late)) == 2


def test_a_new_deadline_is_a_new_cause(make_late: MakeLate, tmp_path: Any) -> None:
    mended = tmp_path / "mended"
    late = make_late(
        "from datetime import timedelta\nfrom pathlib import Path\n@on_action('*', '*')\ndef wait(action):\n"
        f"    if not Path({str(mended)!r}).exists():\n        raise RuntimeError\n"
        "    return Defer('ask', deadline=timedelta(days=1))\n"
    )
    document = defer(late)
    assert round_of_chores(late) == [(pending(document)["id"], "undecided")]
    mended.touch()
    operations.retry(late.country.database, None)
    late.work()
    assert round_of_chores(late) == []
    change(late, document, deadline=-1)
    assert round_of_chores(late) == [(pending(document)["id"], "undecided")]


def test_what_one_round_finds_is_one_mail_that_lists_the_most_urgent_first(late: Late) -> None:
    documents = [defer(late, days=30 - number) for number in range(23)]
    for document in documents:
        change(late, document, deadline=-1)
    assert len(round_of_chores(late)) == 23
    (mail,) = mails(late)
    assert mail.subject == "Records that wait for an answer: 23"
    most_urgent = list(reversed(documents))[:20]
    assert [row[0].split()[0] for row in listed(mail.text)] == [document["trackingId"] for document in most_urgent]
    assert "Not in this list: 3 more." in mail.text
    pass_time(late, QUARTER)
    assert round_of_chores(late) == []
    assert len(mails(late)) == 1


def test_what_comes_within_a_quarter_of_an_hour_of_a_mail_is_in_the_next(late: Late) -> None:
    first = defer(late, days=0.5)
    round_of_chores(late)
    meanwhile = [defer(late, days=0.5) for _ in range(2)]
    assert len(round_of_chores(late)) == 2
    pass_time(late, QUARTER - 5)
    defer(late, days=3)
    assert round_of_chores(late) == []
    assert len(mails(late)) == 1
    pass_time(late, 5)
    assert round_of_chores(late) == []
    newest, before = mails(late)
    assert [row[0].split()[0] for row in listed(before.text)] == [first["trackingId"]]
    assert {row[0].split()[0] for row in listed(newest.text)} == {document["trackingId"] for document in meanwhile}


def test_what_was_decided_while_it_waited_for_a_mail_is_not_in_it(late: Late) -> None:
    defer(late, days=0.5)
    round_of_chores(late)
    decided, still_open = defer(late, days=0.5), defer(late, days=0.5)
    round_of_chores(late)
    assert late.say(decided, "accept") == 202
    late.work()
    pass_time(late, QUARTER)
    round_of_chores(late)
    assert [row[0].split()[0] for row in listed(mails(late)[0].text)] == [still_open["trackingId"]]


def test_workers_beside_each_other_say_everything_once(late: Late) -> None:
    for _ in range(5):
        defer(late, days=0.5)
    alerts = alerts_to(late)
    with capture_logs() as logs, ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(alerts.raise_due) for _ in range(8)]:
            done.result()
    assert len([line for line in logs if line["event"] == "decision.open"]) == 5
    late.work()
    (mail,) = mails(late)
    assert len(listed(mail.text)) == 5


def test_without_an_address_it_is_logged_and_mailed_once_there_is_one(make_late: MakeLate) -> None:
    late = make_late()
    document = defer(late, days=0.5)
    assert len(round_of_chores(late)) == 1
    assert mails(late) == []
    alerts_to(late, language="fr").raise_due()
    assert round_of_chores(late) == []
    (mail,) = mails(late)
    assert document["trackingId"] in mail.text
    assert "Cordialement" in mail.text


def test_the_mail_belongs_to_the_newest_of_its_decisions(late: Late) -> None:
    for _ in range(3):
        defer(late, days=0.5)
    round_of_chores(late)
    with late.country.database.reading() as connection:
        newest = connection.scalar(select(func.max(decisions.c.trigger_id)))
    (mail,) = (row for row in operations.newest(late.country.database, [], 50) if row.message == "decision-open")
    assert (mail.trigger_id, mail.state, mail.recipient) == (newest, "sent", "ope***@***.test")


@pytest.mark.parametrize("odd", ["", " \n\n ", "A\n\n\nB\tC", "<b>&amp;", "\u2028"])
def test_odd_texts_stay_in_their_cells(late: Late, odd: str) -> None:
    defer(late, days=0.5)
    with late.country.database.transaction() as connection:
        connection.execute(update(decisions).values(tracking_id=odd, event_type="birth", token_expires_at=1e300))
        connection.execute(update(decisions).values(deadline=now() - 1))
    round_of_chores(late)
    ((record, state, until),) = listed(mails(late)[0].text)
    assert record == f"{' '.join(odd.split()) or '-'} birth DECLARE"
    assert (state, until) == ("deferred: not decided in time", "-")


def test_while_core_is_away_nothing_is_said(late: Late) -> None:
    document = defer(late)
    late.core.mood = Mood.AWAY
    assert late.say(document, "accept") == 202
    assert round_of_chores(late) == []


@pytest.mark.parametrize("cause", Cause)
def test_the_mail_has_words_for_each_cause(late: Late, cause: Cause) -> None:
    document = defer(late)
    with late.country.database.transaction() as connection:
        connection.execute(
            update(decisions)
            .where(decisions.c.action_id == pending(document)["id"])
            .values(alerted_for=cause.value, deadline=now() - 1, token_expires_at=NEVER)
        )
    round_of_chores(late)
    (mail,) = mails(late)
    ((_, why, until),) = listed(mail.text)
    assert why.startswith("deferred: ")
    assert until == "-"
