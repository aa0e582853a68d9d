"""FORWARD_ACTIONS_TO: which documents of event actions are forwarded, in which form and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update
from standardwebhooks import Webhook
from structlog.testing import capture_logs
from werkzeug import Response

from app.database.tables import decisions
from app.encryption import Cipher
from app.outbox.worker import Worker
from tests.conftest import SECRET_KEY
from tests.decisions.conftest import Country, Late, question
from tests.decisions.forwarding.receiver import ForwardReceiver, accepted, always, due_now, rows, states

MakeCountry = Callable[..., Country]
MakeWorker = Callable[[Country], Worker]

REJECT = "@on_action('*', '*')\ndef no(action):\n    return Reject('Not born here')\n"
SECRET = "whsec_" + "c2VjcmV0" * 4


def with_unknown_keys(document: dict[str, Any]) -> dict[str, Any]:
    """What a newer core may send, and texts that not every encoder takes."""
    document["flags"] = [{"id": "sealed", "since": None}]
    document["actions"][0]["waitFor"] = {"seconds": 1.5}
    document["actions"][-1]["keepAssignment"] = True
    document["actions"][-1]["declaration"] |= {"child.name": {"firstname": "Zo\u00eb \ud800 \u0000"}, "x": [None, {}]}
    return document


def test_an_accepted_action_is_forwarded_as_the_reference_does(
    make_country: MakeCountry, make_worker: MakeWorker, receiver: ForwardReceiver
) -> None:
    country = make_country(FORWARD_ACTIONS_TO=receiver.url)
    asked = with_unknown_keys(question("DECLARE"))
    assert country.ask(asked).status_code == 200
    make_worker(country).run_until_idle()
    assert receiver.documents == [accepted(asked)]
    (request,) = receiver.requests
    assert request.headers["Content-Type"] == "application/json"
    names = {name.lower() for name in request.headers.keys()}  # noqa: SIM118  they are not a dict
    ours = {"content-type", "webhook-id"}
    http = {"host", "user-agent", "accept-encoding", "connection", "content-length"}
    assert names == ours | http
    assert states(country) == [("sent", None)]


def test_a_registration_is_forwarded_with_the_number_of_the_answer(
    make_country: MakeCountry, make_worker: MakeWorker, receiver: ForwardReceiver
) -> None:
    rules = "@on_action('*', '*')\ndef yes(action):\n    return Accept(declaration={'child.checked': True})\n"
    country = make_country(rules, FORWARD_ACTIONS_TO=receiver.url)
    asked = question("REGISTER")
    number = country.ask(asked).get_json()["registrationNumber"]
    make_worker(country).run_until_idle()
    assert receiver.documents == [accepted(asked, registrationNumber=number)]


def test_a_number_that_changes_before_it_is_sent_is_sent_as_it_is_by_then(
    make_country: MakeCountry, make_worker: MakeWorker, receiver: ForwardReceiver
) -> None:
    country = make_country(FORWARD_ACTIONS_TO=receiver.url)
    receiver.behave = lambda number: Response(status=503 if number == 1 else 200)
    asked = question("REGISTER")
    country.ask(asked)
    worker = make_worker(country)
    worker.run_until_idle()
    corrected = Cipher([SECRET_KEY]).encrypt({"registrationNumber": "CORE-1"})
    with country.database.transaction() as connection:
        connection.execute(update(decisions).values(answer=corrected, registration_number="CORE-1"))
    due_now(country)
    worker.run_until_idle()
    assert receiver.documents[-1] == accepted(asked, registrationNumber="CORE-1")


def test_the_pending_action_is_changed_also_where_it_is_not_the_last(
    make_country: MakeCountry, make_worker: MakeWorker, receiver: ForwardReceiver
) -> None:
    country = make_country(FORWARD_ACTIONS_TO=receiver.url)
    asked = question("DECLARE")
    asked["actions"].append(asked["actions"][0] | {"id": "5d3f2c1b-0a9e-4c8d-b7f6-1e2d3c4b5a60"})
    assert country.ask(asked).status_code == 200
    make_worker(country).run_until_idle()
    assert receiver.documents == [accepted(asked)]
    assert receiver.documents[0]["actions"][-1] == asked["actions"][-1]


def test_a_rejected_action_is_forwarded_as_it_came(
    make_country: MakeCountry, make_worker: MakeWorker, receiver: ForwardReceiver
) -> None:
    country = make_country(REJECT, FORWARD_ACTIONS_TO=receiver.url)
    asked = with_unknown_keys(question("REGISTER"))
    assert country.ask(asked).status_code == 400
    make_worker(country).run_until_idle()
    assert receiver.documents == [asked]


def test_a_deferred_action_is_forwarded_as_it_came_and_again_once_core_has_taken_a_late_accept(
    make_late: Callable[..., Late], receiver: ForwardReceiver
) -> None:
    late = make_late(FORWARD_ACTIONS_TO=receiver.url)
    asked = late.defer()
    late.work()
    assert receiver.documents == [asked]
    assert late.say(asked, "accept", registrationNumber="N-1") == 202
    late.work()
    late.work()
    assert receiver.documents == [asked, accepted(asked, registrationNumber="N-1")]
    assert len(set(receiver.ids)) == 2


def test_a_late_reject_forwards_nothing_more(make_late: Callable[..., Late], receiver: ForwardReceiver) -> None:
    late = make_late(FORWARD_ACTIONS_TO=receiver.url)
    asked = late.defer("DECLARE")
    late.work()
    assert late.say(asked, "reject", reason="no") == 202
    late.work()
    assert late.state(asked) == "confirmed"
    assert receiver.documents == [asked]


def test_what_is_accepted_while_its_receiver_is_away_is_not_forwarded_as_open_afterwards(
    make_late: Callable[..., Late], receiver: ForwardReceiver
) -> None:
    late = make_late(FORWARD_ACTIONS_TO=receiver.url)
    receiver.behave = lambda number: Response(status=503 if number == 1 else 200)
    asked = late.defer("DECLARE")
    late.work()
    assert late.say(asked, "accept") == 202
    late.work()
    due_now(late.country)
    late.work()
    assert receiver.documents == [asked, accepted(asked)]
    dropped = ("dropped", "it was accepted since, and is forwarded as accepted")
    assert sorted(states(late.country)) == [dropped, ("sent", None)]


def test_the_same_question_again_forwards_nothing_again(
    make_country: MakeCountry, make_worker: MakeWorker, receiver: ForwardReceiver
) -> None:
    country = make_country(FORWARD_ACTIONS_TO=receiver.url)
    asked, worker = question("DECLARE"), make_worker(country)
    for _ in range(3):
        assert country.ask(asked).status_code == 200
        worker.run_until_idle()
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("environ", [{}, {"FORWARD_ACTIONS_TO": ""}, {"FORWARD_ACTIONS_TO": " , "}])
def test_without_a_receiver_nothing_is_forwarded(
    make_country: MakeCountry, make_worker: MakeWorker, environ: dict[str, str]
) -> None:
    country = make_country(**environ)
    country.ask(question("DECLARE"))
    make_worker(country).run_until_idle()
    assert rows(country) == []


def test_with_a_secret_it_is_signed_so_that_an_independent_verifier_takes_it(
    make_country: MakeCountry, make_worker: MakeWorker, receiver: ForwardReceiver
) -> None:
    newer = "whsec_" + "bmV3ZXIh" * 4
    country = make_country(FORWARD_ACTIONS_TO=receiver.url, FORWARD_SECRET=f"{newer}, {SECRET}")
    asked = with_unknown_keys(question("DECLARE"))
    country.ask(asked)
    make_worker(country).run_until_idle()
    (request,) = receiver.requests
    headers = {name.lower(): value for name, value in request.headers.items()}
    for secret in (newer, SECRET):  # while it is being replaced
        assert Webhook(secret).verify(request.get_data(), headers) == accepted(asked)


def test_a_user_and_a_password_in_the_url_are_sent_as_basic_and_told_nowhere(
    make_country: MakeCountry, make_worker: MakeWorker, receiver: ForwardReceiver
) -> None:
    url = receiver.url.replace("://", "://registry:hunter%202@") + "?key=swordfish"
    receiver.behave = always(503)
    with capture_logs() as logs:
        country = make_country(FORWARD_ACTIONS_TO=url)
        country.ask(question("DECLARE"))
        make_worker(country).run_until_idle()
    (request,) = receiver.requests
    assert request.authorization is not None
    assert (request.authorization.username, request.authorization.password) == ("registry", "hunter 2")
    assert request.args.to_dict() == {"key": "swordfish"}
    (row,) = rows(country)
    for told in (repr(logs), repr(row._mapping), repr(country.settings)):
        assert not any(secret in told for secret in ("hunter", "swordfish"))
    assert row.recipient == "127.0.0.1"


def test_an_accept_that_was_decided_again_is_forwarded_once_and_as_it_was_decided_last(
    make_late: Callable[..., Late], receiver: ForwardReceiver
) -> None:
    late = make_late("", FORWARD_ACTIONS_TO=receiver.url)
    asked = question("REGISTER")
    late.core.keep(asked)
    receiver.behave = lambda number: Response(status=503 if number == 1 else 200)
    late.country.ask(asked)
    late.work()
    with late.country.database.transaction() as connection:  # as after an answer that never came to core
        connection.execute(update(decisions).values(state="refused", runs=1))
    assert late.say(asked, "accept", registrationNumber="N-2") == 202
    due_now(late.country)
    late.work()
    due_now(late.country)
    late.work()
    assert receiver.documents[1:] == [accepted(asked, registrationNumber="N-2")]
