"""Informants hear what becomes of their declaration: once, by name, and only what holds."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from app.database.tables import attempts, deliveries
from app.encryption import Cipher
from app.notifications.inbox import Inbox, InboxMessage
from app.outbox import operations
from app.outbox.states import State
from app.outbox.worker import Worker
from tests.conftest import SECRET_KEY
from tests.decisions.conftest import Country, pending, question
from tests.opencrvs.core_events import Core, Mood
from tests.opencrvs.places import location_row

OFFICE = "c1fcb3c2-676a-4112-9a37-f1238b4e9619"
MOTHER = {
    "informant.relation": "MOTHER",
    "informant.email": "amina@sink.test",
    "informant.phoneNo": "0977111222",
    "mother.name": {"firstname": "Amina", "middlename": "Bwalya", "surname": "Mwale"},
    "informant.name": {"firstname": "Not", "surname": "Her"},
    "child.name": {"firstname": "Chanda", "surname": "Mwale"},
}
DEFER = "@on_action('*', '*')\ndef wait(action):\n    return Defer('ask the ministry')\n"


class News:
    """Core asks about actions of declarations, and what reaches the informant is looked at."""

    def __init__(self, country: Country, worker: Worker) -> None:
        self.country = country
        self.worker = worker
        self._inbox = Inbox(country.database, Cipher([SECRET_KEY]))

    def ask(self, document: dict[str, Any], status: int = 200) -> Any:
        answer = self.country.ask(document)
        assert answer.status_code == status
        return answer.json

    def told(self) -> list[InboxMessage]:
        """All that arrived until now, the oldest first."""
        self.worker.run_until_idle()
        return self._inbox.newest()[::-1]

    def pass_time(self, seconds: float) -> None:
        """What waits has waited for so long."""
        self.worker.run_until_idle()
        with self.country.database.transaction() as connection:
            earlier = {"created_at": deliveries.c.created_at - seconds, "due_at": deliveries.c.due_at - seconds}
            connection.execute(update(deliveries).values(earlier))

    def states(self, channel: str) -> list[tuple[str, str | None]]:
        query = select(deliveries.c.state, deliveries.c.reason).where(deliveries.c.channel == channel)
        with self.country.database.reading() as connection:
            return [(row.state, row.reason) for row in connection.execute(query.order_by(deliveries.c.trigger_id))]


MakeNews = Callable[..., News]


@pytest.fixture
def make_news(make_country: Callable[..., Country], make_worker: Callable[[Country], Worker]) -> MakeNews:
    """News that waits for nothing, unless told otherwise."""

    def make(rules: str = "", **environ: str) -> News:
        country = make_country(rules, **{"INFORMANT_HOLD": "0", "DEFAULT_LANGUAGE": "en"} | environ)
        return News(country, make_worker(country))

    return make


def asked(action_type: str, declared: Mapping[str, Any] = MOTHER, event_type: str = "birth") -> dict[str, Any]:
    """A question about an action of this type, whose record says of the informant what is declared, and no more."""
    document = question(action_type, "birth")
    document["type"] = event_type
    for action in document["actions"]:
        action["declaration"] = {}
    own = next(action for action in document["actions"] if action["id"] == pending(document)["id"])
    document["actions"][0]["declaration"] = dict(declared)
    own["createdAtLocation"] = OFFICE
    return document


def next_asked(document: dict[str, Any], action_type: str) -> dict[str, Any]:
    """What core asks next of the same record, having taken the answer before."""
    later = copy.deepcopy(document)
    before = pending(later)
    later["actions"].append(
        before | {"id": str(uuid.uuid4()), "status": "Accepted", "originalActionId": before["id"], "declaration": {}}
    )
    fresh = {"id": str(uuid.uuid4()), "transactionId": str(uuid.uuid4()), "type": action_type}
    later["actions"].append(before | fresh | {"declaration": {}})
    return later


def test_a_mother_hears_the_very_number_that_was_returned(make_news: MakeNews) -> None:
    news = make_news()
    document = asked("REGISTER")
    number = news.ask(document)["registrationNumber"]
    (message,) = news.told()
    assert message.to == ("amina@sink.test",)
    assert message.subject == f"Birth registered: {document['trackingId']}"
    assert "Dear Amina Bwalya Mwale," in message.text
    assert "The birth of Chanda Mwale has been registered." in message.text
    assert number in message.text


@pytest.mark.parametrize(
    ("action_type", "said"),
    [
        ("NOTIFY", "We have received a notification of the birth of Chanda Mwale."),
        ("DECLARE", "We have received the declaration of the birth of Chanda Mwale and are reviewing it."),
        ("REGISTER", "The birth of Chanda Mwale has been registered."),
        ("REJECT", "Before the birth of Chanda Mwale can be registered, the declaration must be corrected"),
        ("APPROVE_CORRECTION", "The birth record of Chanda Mwale has been corrected, as requested."),
        ("REJECT_CORRECTION", "birth record of Chanda Mwale has not been approved."),
    ],
)
@pytest.mark.parametrize("method", ["email", "sms"])
def test_each_step_is_told(make_news: MakeNews, action_type: str, said: str, method: str) -> None:
    news = make_news(INFORMANT_NOTIFICATION_DELIVERY_METHOD=method)
    document = asked(action_type)
    news.ask(document)
    (message,) = news.told()
    assert message.channel == method
    assert document["trackingId"] in message.text
    if method == "email":
        assert said in message.text
        reason = (pending(document).get("content") or {}).get("reason")
        assert reason is None or " ".join(reason.split()) in " ".join(message.text.split())


@pytest.mark.parametrize("action_type", ["EDIT", "ARCHIVE", "PRINT_CERTIFICATE", "REQUEST_CORRECTION", "CUSTOM"])
def test_what_is_no_news_is_not_told(make_news: MakeNews, action_type: str) -> None:
    news = make_news()
    news.ask(asked(action_type))
    assert news.told() == []


@pytest.mark.parametrize(
    ("event_type", "declared", "said"),
    [
        ("death", {"deceased.name": {"firstname": "Mutale", "surname": "Zulu"}}, "The death of Mutale Zulu"),
        ("marriage", {"bride.name": {"surname": "Zulu"}, "groom.name": {"surname": "Phiri"}}, "Zulu & Phiri"),
        ("adoption", {"applicant.name": {"firstname": "A"}}, "What you declared has been registered."),
        ("birth", {}, "The birth of your child has been registered."),
        ("death", {"deceased.name": {"firstname": 7}}, "The death of your relative"),
        ("marriage", {"bride.name": "Zulu"}, "The marriage of the couple"),
    ],
)
def test_the_wording_is_that_of_the_event_and_a_missing_name_stops_nothing(
    make_news: MakeNews, event_type: str, declared: dict[str, Any], said: str
) -> None:
    news = make_news()
    news.ask(asked("REGISTER", {"informant.email": "a@sink.test"} | declared, event_type))
    (message,) = news.told()
    assert said in message.text
    assert message.text.startswith("Hello,") or "\nHello," in message.text


def test_declaring_and_registering_in_one_go_makes_one_message(make_news: MakeNews) -> None:
    news = make_news(INFORMANT_HOLD="30")
    declared = asked("DECLARE")
    news.ask(declared)
    assert news.told() == []
    news.ask(next_asked(declared, "REGISTER"))
    news.pass_time(31)
    (message,) = news.told()
    assert message.subject.startswith("Birth registered")
    assert news.states("informant")[0] == (
        "dropped",
        "superseded: newer news of the same record followed at once",
    )


def test_news_that_comes_later_is_told_too(make_news: MakeNews) -> None:
    news = make_news(INFORMANT_HOLD="30")
    declared = asked("DECLARE")
    news.ask(declared)
    news.pass_time(31)
    news.ask(next_asked(declared, "REGISTER"))
    assert len(news.told()) == 1
    news.pass_time(31)
    assert [message.subject.partition(":")[0] for message in news.told()] == [
        "Birth declaration in review",
        "Birth registered",
    ]


def test_an_outage_loses_no_news(make_news: MakeNews) -> None:
    """The worker was away for an hour: what was held for 30 s then is still told, since nothing followed it at once."""
    news = make_news(INFORMANT_HOLD="30")
    declared = asked("DECLARE")
    news.ask(declared)
    news.pass_time(3600)
    news.ask(next_asked(declared, "REGISTER"))
    news.pass_time(31)
    assert len(news.told()) == 2


@pytest.mark.parametrize("followed_by", ["PRINT_CERTIFICATE", "ARCHIVE"])
def test_what_is_no_news_overtakes_none(make_news: MakeNews, followed_by: str) -> None:
    news = make_news(INFORMANT_HOLD="30")
    registered = asked("REGISTER")
    news.ask(registered)
    follower = next_asked(registered, followed_by)
    follower["actions"][-1] |= {"content": {"reason": "a duplicate"}}
    news.ask(follower)
    news.pass_time(31)
    assert len(news.told()) == 1


def test_another_record_overtakes_none(make_news: MakeNews) -> None:
    news = make_news(INFORMANT_HOLD="30")
    news.ask(asked("DECLARE"))
    news.ask(asked("REGISTER"))
    news.pass_time(31)
    assert len(news.told()) == 2


def test_the_same_question_again_makes_no_second_message(make_news: MakeNews) -> None:
    news = make_news()
    document = asked("REGISTER")
    assert news.ask(document) == news.ask(document)
    news.told()
    news.ask(document)
    assert len(news.told()) == 1


def test_a_reject_tells_nobody(make_news: MakeNews) -> None:
    news = make_news("@on_action('*', '*')\ndef no(action):\n    return Reject('no')\n")
    news.ask(asked("DECLARE"), 400)
    assert news.told() == []


def test_a_deferred_action_tells_nobody_until_core_has_taken_the_confirmation(make_news: MakeNews, core: Core) -> None:
    news = make_news(DEFER, GATEWAY_URL=core.url)
    document = asked("REGISTER")
    core.keep(document)
    news.ask(document, 202)
    assert news.told() == []
    core.mood = Mood.AWAY
    confirm(news, document, registrationNumber="2026-LSK-000123-7")
    assert news.told() == []
    core.mood = Mood.WELL
    operations.retry(news.country.database, [row.id for row in operations.newest(news.country.database, [], 50)])
    (message,) = news.told()
    assert "2026-LSK-000123-7" in message.text


def test_a_deferred_action_that_is_rejected_later_tells_nobody(make_news: MakeNews, core: Core) -> None:
    news = make_news(DEFER, GATEWAY_URL=core.url)
    document = asked("DECLARE")
    core.keep(document)
    news.ask(document, 202)
    confirm(news, document, "reject", reason="no")
    assert news.told() == []
    assert core.calls


def test_a_worker_that_dies_between_the_answer_of_core_and_its_own_write_still_tells(
    make_news: MakeNews, core: Core
) -> None:
    news = make_news(DEFER, GATEWAY_URL=core.url)
    document = asked("DECLARE")
    core.keep(document)
    news.ask(document, 202)
    confirm(news, document)
    assert len(news.told()) == 1
    with news.country.database.transaction() as connection:  # as if only core's answer had been written down
        connection.execute(delete(attempts))
        connection.execute(delete(deliveries).where(deliveries.c.channel.in_(["informant", "email"])))
        again = update(deliveries).where(deliveries.c.channel == "confirmation")
        connection.execute(again.values(state=State.QUEUED, ended_at=None))
    assert len(news.told()) == 2


def confirm(news: News, document: dict[str, Any], verb: str = "accept", **body: Any) -> None:
    answer = news.country.app.test_client().post(
        f"/confirmations/{pending(document)['id']}/{verb}",
        json=body,
        headers={"Authorization": f"Bearer {news.country.token(document)}"},
    )
    assert answer.status_code == 202


def test_who_accepts_again_before_the_news_went_out_loses_no_news(make_news: MakeNews, core: Core) -> None:
    news = make_news(GATEWAY_URL=core.url, INFORMANT_HOLD="0.2")
    document = asked("REGISTER")
    core.keep(document)
    number = news.ask(document)["registrationNumber"]
    news.worker.run_until_idle()
    core.mood = Mood.AWAY
    confirm(news, document)
    news.pass_time(10)
    assert news.told() == []
    core.mood = Mood.WELL
    for _ in range(2):  # the confirmation, and what waits for it
        operations.retry(news.country.database, None)
        news.worker.run_until_idle()
    (message,) = news.told()
    assert number in message.text


def test_where_somebody_else_has_confirmed_a_mother_gets_the_number_that_core_has(
    make_news: MakeNews, core: Core
) -> None:
    news = make_news(DEFER, GATEWAY_URL=core.url)
    document = asked("REGISTER")
    core.keep(document)
    news.ask(document, 202)
    core.confirm_elsewhere(document["id"], pending(document)["id"], registrationNumber="MOSIP-7")
    confirm(news, document, registrationNumber="OURS-7")
    (message,) = news.told()
    assert "MOSIP-7" in message.text
    assert "OURS-7" not in message.text + message.subject


def test_where_somebody_else_has_rejected_nobody_is_told_of_a_registration(make_news: MakeNews, core: Core) -> None:
    news = make_news(DEFER, GATEWAY_URL=core.url)
    document = asked("REGISTER")
    core.keep(document)
    news.ask(document, 202)
    core.confirm_elsewhere(document["id"], pending(document)["id"], status="Rejected")
    confirm(news, document, registrationNumber="OURS-8")
    assert news.told() == []


@pytest.mark.parametrize(
    ("declared", "environ", "state", "reason"),
    [
        ({}, {}, "dropped", "no address for email"),
        ({"informant.phoneNo": "0977111222"}, {}, "dropped", "no address for email"),
        ({"informant.email": "a@example.com"}, {}, "dropped", "demo address"),
        ({"informant.email": "nobody"}, {}, "failed", "not an e-mail address"),
        (MOTHER, {"INFORMANT_NOTIFICATION_DELIVERY_METHOD": ""}, "dropped", "INFORMANT_NOTIFICATION_DELIVERY_METHOD"),
    ],
)
def test_why_nobody_is_told_is_kept(
    make_news: MakeNews, declared: dict[str, Any], environ: dict[str, str], state: str, reason: str
) -> None:
    news = make_news(**environ)
    news.ask(asked("REGISTER", declared))
    assert news.told() == []
    ((found, why),) = news.states("email")
    assert found == state
    assert reason in str(why)


@pytest.mark.parametrize("method", ["email,sms", "sms,email"])
def test_the_first_method_that_has_an_address_is_used(make_news: MakeNews, method: str) -> None:
    news = make_news(INFORMANT_NOTIFICATION_DELIVERY_METHOD=method)
    news.ask(asked("DECLARE", {"informant.phoneNo": "0977111222"}))
    (message,) = news.told()
    assert message.channel == "sms"


def test_a_country_says_who_is_told(make_news: MakeNews) -> None:
    news = make_news(
        "@informant('birth')\n"
        "def clinic(action):\n"
        "    return Informant(email=action.declaration['clinic.email'], name='The clinic', subject='Baby 7')\n"
    )
    news.ask(asked("DECLARE", MOTHER | {"clinic.email": "clinic@sink.test"}))
    (message,) = news.told()
    assert message.to == ("clinic@sink.test",)
    assert "Dear The clinic," in message.text
    assert "Baby 7" in message.text


def test_a_country_may_tell_nobody(make_news: MakeNews) -> None:
    news = make_news("@informant('*')\ndef nobody(action):\n    return None\n")
    news.ask(asked("DECLARE"))
    assert news.told() == []
    assert news.states("informant") == [("dropped", "nobody: the informant rule names none")]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return action.declaration['no.such.field']", "KeyError at rules.py:4"),
        (
            "return 'amina@sink.test'",
            "an informant rule answers with an Informant or None, not with str: mend rules.py",
        ),
        ("import time; time.sleep(60)", "no answer within 0.2 s"),
    ],
)
def test_a_rule_that_fails_is_asked_again(make_news: MakeNews, body: str, said: str) -> None:
    news = make_news(f"@informant('birth')\ndef broken(action):\n    {body}\n", DECISION_TIMEOUT="0.2")
    news.ask(asked("DECLARE"))
    assert news.told() == []
    ((state, reason),) = news.states("informant")
    assert state == "queued"
    assert said in str(reason)


@pytest.mark.parametrize(
    ("rules", "declared", "environ", "said"),
    [
        ("", {"informant.language": "fr"}, {}, ["Bonjour"]),
        ("", {"informant.language": "fr-CA"}, {}, ["Bonjour"]),
        ("", {"informant.language": "xx"}, {}, ["Dear"]),
        ("", {"informant.language": ["fr"]}, {}, ["Dear"]),
        ("", {"mother.tongue": "fr"}, {"INFORMANT_LANGUAGE_FIELD": "mother.tongue"}, ["Bonjour"]),
        ("@language\ndef by_number(who):\n    return 'fr' if who.mobile else None\n", {}, {}, ["Bonjour"]),
        ("@language\ndef broken(who):\n    return 1 / 0\n", {}, {}, ["Dear"]),
        ("", {}, {"DEFAULT_LANGUAGE": "fr"}, ["Bonjour"]),
        ("", {}, {"NOTIFICATION_LANGUAGES": "fr,en"}, ["Bonjour", "Dear"]),
        ("", {"informant.language": "en"}, {"NOTIFICATION_LANGUAGES": "fr,en"}, ["Dear"]),
    ],
)
def test_an_informant_is_written_to_in_the_own_language(
    make_news: MakeNews, rules: str, declared: dict[str, Any], environ: dict[str, str], said: list[str]
) -> None:
    news = make_news(rules, **environ)
    news.ask(asked("DECLARE", MOTHER | declared))
    (message,) = news.told()
    words = [word for word in ("Bonjour", "Dear") if word in message.text]
    assert words == said


def test_what_an_accept_added_is_known_to_the_message(make_news: MakeNews) -> None:
    news = make_news(
        "@on_action('birth', 'DECLARE')\n"
        "def add(action):\n"
        "    return Accept(declaration={'child.name': {'firstname': 'Natasha'}})\n"
    )
    news.ask(asked("DECLARE"))
    assert "Natasha Mwale" in news.told()[0].text


def test_the_office_is_named(make_news: MakeNews, core: Core) -> None:
    core.locations = [location_row(id=OFFICE, name="Lusaka Central")]
    news = make_news(GATEWAY_URL=core.url)
    news.ask(asked("DECLARE"))
    assert "Lusaka Central" in news.told()[0].text


def test_core_being_away_leaves_the_office_out(make_news: MakeNews, core: Core) -> None:
    core.mood = Mood.AWAY
    news = make_news(GATEWAY_URL=core.url)
    news.ask(asked("DECLARE"))
    assert "Registration office" not in news.told()[0].text


def test_a_name_with_markup_is_shown_as_it_is(make_news: MakeNews) -> None:
    news = make_news()
    news.ask(asked("REGISTER", MOTHER | {"child.name": {"firstname": "<b>Chanda</b> {{code}}\0\ud800"}}))
    (message,) = news.told()
    assert "<b>Chanda" not in message.html
    assert "<b>Chanda</b> {{code}}" in message.text
