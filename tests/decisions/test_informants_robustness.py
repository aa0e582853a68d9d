"""What an informant hears holds at the moment when it is told, whatever happened before."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import update

from app.access import clients
from app.database.tables import deliveries
from app.notifications.sms.segments import segments
from app.outbox.states import State
from tests.decisions.conftest import pending
from tests.decisions.test_informants import MOTHER, MakeNews, News, asked, make_news, next_asked
from tests.opencrvs.core_events import Core

__all__ = ["make_news"]


class Operator:
    """Accepts and rejects by hand."""

    def __init__(self, news: News) -> None:
        self._news = news
        self._key = clients.create(news.country.database, "operator", ["confirmations:write"]).key

    def say(self, document: dict[str, Any], verb: str, **body: Any) -> None:
        answer = self._news.country.app.test_client().post(
            f"/confirmations/{pending(document)['id']}/{verb}",
            json=body,
            headers={"Authorization": f"Bearer {self._key}"},
        )
        assert answer.status_code == 202
        self._news.worker.run_until_idle()


def subjects(news: News) -> list[str]:
    return [message.subject.partition(":")[0] for message in news.told()]


def test_what_was_decided_otherwise_meanwhile_is_not_told(make_news: MakeNews, core: Core) -> None:
    news = make_news(GATEWAY_URL=core.url, INFORMANT_HOLD="30")
    operator, document = Operator(news), asked("REGISTER")
    news.ask(document)
    news.told()
    operator.say(document, "accept")  # core does not know the record, and refuses
    core.keep(document)
    operator.say(document, "reject", reason="no")
    news.pass_time(31)
    assert news.told() == []
    assert news.states("informant")[0][0] == "dropped"


def test_a_number_that_took_the_place_of_another_is_told_too(make_news: MakeNews, core: Core) -> None:
    news = make_news(GATEWAY_URL=core.url)
    operator, document = Operator(news), asked("REGISTER")
    first = news.ask(document)["registrationNumber"]
    assert first in news.told()[0].text
    operator.say(document, "accept")
    core.keep(document)
    operator.say(document, "accept", registrationNumber="SECOND-1")
    assert ["SECOND-1" in message.text for message in news.told()] == [False, True]


@pytest.mark.parametrize("content", ["text", ["x"], {"reason": 5}, {"reason": None}, {"reason": {}}, {}])
def test_the_content_of_an_approval_may_be_anything(make_news: MakeNews, content: Any) -> None:
    news = make_news()
    document = asked("APPROVE_CORRECTION")
    own = pending(document)["id"]
    next(action for action in document["actions"] if action["id"] == own)["content"] = content
    news.ask(document)
    assert len(news.told()) == 1


def test_an_approved_correction_goes_to_the_corrected_address(make_news: MakeNews) -> None:
    news = make_news()
    document = asked("APPROVE_CORRECTION")
    own = next(action for action in document["actions"] if action["id"] == pending(document)["id"])
    requested, accepted = [action for action in document["actions"] if action["type"] == "REQUEST_CORRECTION"][-2:]
    own["requestId"] = accepted["id"]
    requested["declaration"] = {
        "informant.email": "right@sink.test",
        "child.name": {"firstname": "Corrected", "surname": "Mwale"},
    }
    news.ask(document)
    (message,) = news.told()
    assert message.to == ("right@sink.test",)
    assert "Corrected Mwale" in message.text


def test_a_rule_may_find_nothing(make_news: MakeNews) -> None:
    news = make_news(
        "@informant('birth')\ndef found(action):\n"
        "    return Informant(email='a@sink.test', name=action.declaration.get('no.such.name'))\n"
    )
    news.ask(asked("DECLARE"))
    assert len(news.told()) == 1


def test_a_value_that_is_no_text_is_named(make_news: MakeNews) -> None:
    news = make_news("@informant('birth')\ndef number(action):\n    return Informant(mobile=260977111222)\n")
    news.ask(asked("DECLARE"))
    assert news.told() == []
    assert "mobile of an Informant is a text, not int" in str(news.states("informant")[0][1])


def test_a_host_whose_clock_is_ahead_does_not_hide_newer_news(
    make_news: MakeNews, monkeypatch: pytest.MonkeyPatch
) -> None:
    news = make_news(INFORMANT_HOLD="30")
    declared, real = asked("DECLARE"), time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + 2_000_000_000)
    news.ask(declared)
    monkeypatch.setattr(time, "time_ns", real)
    news.ask(next_asked(declared, "REGISTER"))
    news.pass_time(31)
    assert subjects(news) == ["Birth registered"]


def test_what_is_confirmed_late_is_told_though_newer_news_was_before(make_news: MakeNews, core: Core) -> None:
    rules = "@on_action('birth', 'REGISTER')\ndef wait(action):\n    return Defer('ask')\n"
    news = make_news(rules, GATEWAY_URL=core.url, INFORMANT_HOLD="30")
    operator, registered = Operator(news), asked("REGISTER")
    core.keep(registered)
    news.ask(registered, 202)
    declared = asked("DECLARE")
    declared["id"] = registered["id"]
    news.ask(declared)
    news.pass_time(3600)
    assert subjects(news) == ["Birth declaration in review"]
    operator.say(registered, "accept")
    news.pass_time(31)
    assert subjects(news)[-1] == "Birth registered"


def test_old_news_is_not_told_after_newer_news(make_news: MakeNews, tmp_path: Any) -> None:
    mended = tmp_path / "mended"
    news = make_news(
        f"import pathlib\n@informant('birth')\ndef who(action):\n"
        f"    if action.pending.type == 'DECLARE' and not pathlib.Path({str(mended)!r}).exists():\n"
        f"        raise KeyError\n    return informant_of(action.declaration)\n",
        INFORMANT_HOLD="30",
    )
    declared = asked("DECLARE")
    news.ask(declared)
    news.pass_time(40)
    news.told()
    news.ask(next_asked(declared, "REGISTER"))
    news.pass_time(31)
    assert subjects(news) == ["Birth registered"]
    mended.touch()
    with news.country.database.transaction() as connection:
        connection.execute(update(deliveries).where(deliveries.c.state == State.QUEUED).values(due_at=0))
    assert subjects(news) == ["Birth registered"]


def test_news_that_tells_nobody_overtakes_none(make_news: MakeNews) -> None:
    news = make_news(
        "@informant('birth')\ndef who(action):\n"
        "    return None if action.pending.type == 'REJECT' else informant_of(action.declaration)\n",
        INFORMANT_HOLD="30",
    )
    declared = asked("DECLARE")
    news.ask(declared)
    rejected = next_asked(declared, "REJECT")
    rejected["actions"][-1] |= {"content": {"reason": "a"}}
    news.ask(rejected)
    news.worker.run_until_idle()
    with news.country.database.transaction() as connection:  # the newer one is worked out first
        connection.execute(update(deliveries).where(deliveries.c.message == "birth-rejected").values(due_at=0))
    news.told()
    news.pass_time(31)
    assert subjects(news) == ["Birth declaration in review"]


def test_a_rule_that_hangs_holds_up_no_other_event_type(make_news: MakeNews) -> None:
    news = make_news(
        "import time\n@informant('adoption')\ndef hang(action):\n    time.sleep(30)\n", DECISION_TIMEOUT="0.1"
    )
    for _ in range(9):
        news.ask(asked("DECLARE", MOTHER, "adoption"))
    news.told()
    news.ask(asked("REGISTER"))
    assert subjects(news) == ["Birth registered"]


def test_a_long_reason_does_not_make_a_long_sms(make_news: MakeNews) -> None:
    news = make_news(INFORMANT_NOTIFICATION_DELIVERY_METHOD="sms")
    document = asked("REJECT_CORRECTION")
    own = next(action for action in document["actions"] if action["id"] == pending(document)["id"])
    own["content"] = {"reason": "The document is not enough. " * 200}
    news.ask(document)
    (message,) = news.told()
    assert segments(message.text).count == 2
