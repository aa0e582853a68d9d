"""After core was told to wait: deciding again, confirming by hand, and telling core."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, update

from app.access import clients
from app.cli import commands
from app.country import Country as Rules
from app.database import audit
from app.database.clock import now
from app.database.tables import decisions, deliveries
from app.decisions.states import DecisionState
from app.decisions.store import Decisions
from app.encryption import Cipher
from app.outbox import operations
from app.outbox.worker import Worker
from tests.conftest import SECRET_KEY
from tests.decisions.conftest import DEFER, Country, Late, pending, question
from tests.opencrvs.core_events import Core, Mood

MakeWorker = Callable[[Country], Worker]


def test_an_accept_is_kept_and_core_is_told_with_a_number_of_ours(late: Late) -> None:
    document = late.defer()
    assert late.say(document, "accept", declaration={"child.nid": "123"}) == 202
    late.work()
    (call,) = late.core.calls
    assert call.procedure == "event.actions.register.accept"
    assert call.fields["transactionId"] == pending(document)["transactionId"]
    assert call.fields["declaration"] == {"child.nid": "123"}
    assert call.authorization is not None
    assert late.state(document) == "confirmed"
    answer = late.country.ask(document)
    assert answer.status_code == 200
    assert answer.json == {
        "declaration": {"child.nid": "123"},
        "registrationNumber": call.fields["registrationNumber"],
    }


def test_a_reject_is_kept_and_the_same_question_gets_the_final_answer(late: Late) -> None:
    document = late.defer()
    assert late.say(document, "reject", reason="Not born here") == 202
    late.work()
    assert late.core.calls[0].procedure == "event.actions.register.reject"
    answer = late.country.ask(document)
    assert (answer.status_code, answer.json) == (400, {"reason": "Not born here"})


def test_the_token_of_the_action_itself_will_do_and_no_other(late: Late) -> None:
    document, other = late.defer(), late.defer("DECLARE")
    assert late.say(document, "accept", late.country.token(other)) == 403
    assert late.say(document, "accept", late.country.token(document)) == 202


@pytest.mark.parametrize("bearer", ["cc_" + "x" * 43, "nonsense"])
def test_a_wrong_key_is_401(late: Late, bearer: str) -> None:
    assert late.say(late.defer(), "accept", bearer) == 401


def test_a_key_without_the_permission_is_403(late: Late) -> None:
    key = clients.create(late.country.database, "reader", []).key
    assert late.say(late.defer(), "accept", key) == 403


def test_the_same_again_is_harmless_and_the_opposite_is_409(late: Late) -> None:
    document = late.defer()
    assert late.say(document, "accept", registrationNumber="N-1") == 202
    assert late.say(document, "accept", registrationNumber="N-1") == 202
    assert late.say(document, "accept") == 202
    assert late.say(document, "accept", registrationNumber="N-2") == 409
    assert late.say(document, "reject", reason="no") == 409
    late.work()
    assert len(late.core.calls) == 1


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("reject", {}),
        ("reject", {"reason": ""}),
        ("reject", {"reason": " \n"}),
        ("accept", {"registrationNumber": 5}),
        ("accept", {"declaration": []}),
    ],
)
def test_bad_requests_are_422(late: Late, verb: str, body: dict[str, Any]) -> None:
    assert late.say(late.defer(), verb, **body) == 422


def test_an_accept_that_adds_nothing_needs_no_body(late: Late) -> None:
    document = late.defer()
    answer = late.country.app.test_client().post(
        f"/confirmations/{pending(document)['id']}/accept", headers={"Authorization": f"Bearer {late.key}"}
    )
    assert answer.status_code == 202
    late.work()
    assert late.state(document) == "confirmed"


@pytest.mark.parametrize("action_id", ["nothing", "a%00b", "%EF%BF%BD"])
def test_an_action_that_core_never_asked_about_is_404(late: Late, action_id: str) -> None:
    answer = late.country.app.test_client().post(
        f"/confirmations/{action_id}/accept", json={}, headers={"Authorization": f"Bearer {late.key}"}
    )
    assert answer.status_code == 404


@pytest.mark.parametrize("action_type", ["REJECT", "APPROVE_CORRECTION"])
def test_a_late_reject_that_core_cannot_take_is_refused_at_the_door(late: Late, action_type: str) -> None:
    document = late.defer(action_type)
    assert late.say(document, "reject", reason="no") == 422
    assert late.state(document) == "deferred"


def test_a_taken_number_is_refused_and_the_action_stays_open(late: Late) -> None:
    first, second = late.defer(), late.defer()
    assert late.say(first, "accept", registrationNumber="N-1") == 202
    assert late.say(second, "accept", registrationNumber="N-1") == 422
    assert late.state(second) == "deferred"


@pytest.mark.parametrize("mood", [Mood.AWAY, Mood.FAILING, Mood.HTML])
def test_while_core_is_away_it_is_tried_again(late: Late, mood: Mood) -> None:
    document = late.defer()
    late.say(document, "accept")
    late.core.mood = mood
    late.work()
    assert late.delivery("confirmation").state == "queued"
    assert late.state(document) == "confirming"
    late.core.mood = Mood.WELL
    operations.retry(late.country.database, None)
    late.work()
    assert late.state(document) == "confirmed"


def tried(late: Late, times: int) -> None:
    """Have the worker try, again and again."""
    for _ in range(times):
        operations.retry(late.country.database, None)
        late.work()


def test_a_plain_500_is_tried_twelve_times_and_then_it_is_taken_for_a_refusal(late: Late) -> None:
    document = late.defer()
    late.say(document, "accept")
    late.core.mood = Mood.FAILING
    tried(late, 11)
    assert (late.delivery("confirmation").state, late.state(document)) == ("queued", "confirming")
    tried(late, 1)
    delivery = late.delivery("confirmation")
    assert (delivery.state, late.state(document), delivery.attempts) == ("failed", "refused", 12)
    assert delivery.reason.startswith("core fails on it every time")


@pytest.mark.parametrize("mood", [Mood.AWAY, Mood.HTML])
def test_tries_that_did_not_come_to_core_itself_are_not_counted_as_refusals(late: Late, mood: Mood) -> None:
    document = late.defer()
    late.say(document, "accept")
    late.core.mood = mood
    tried(late, 13)
    late.core.mood = Mood.FAILING
    tried(late, 11)
    assert (late.delivery("confirmation").state, late.state(document)) == ("queued", "confirming")
    late.core.mood = mood
    tried(late, 1)
    assert late.state(document) == "confirming"
    late.core.mood = Mood.FAILING
    tried(late, 1)
    assert late.state(document) == "refused"


def test_what_is_decided_anew_is_tried_anew(late: Late) -> None:
    document = late.defer()
    late.say(document, "accept")
    late.core.mood = Mood.FAILING
    tried(late, 12)
    assert late.state(document) == "refused"
    assert late.say(document, "accept") == 202
    tried(late, 11)
    assert late.state(document) == "confirming"
    tried(late, 1)
    assert late.state(document) == "refused"


def between_try_and_settling(late: Late, happens: Callable[[], None]) -> None:
    """Have the worker try the confirmation; this happens when it has been tried, and before that is written down."""
    (taken,) = late.worker._turn()
    late.worker._try_one(taken)
    happens()
    late.work()


def test_what_is_decided_anew_before_the_refusal_is_written_down_is_confirmed(late: Late) -> None:
    document = late.defer()
    late.work()
    late.core.tokens = set()
    assert late.say(document, "accept", registrationNumber="N-1") == 202

    def decide_anew() -> None:
        assert late.state(document) == "refused"
        late.core.tokens = None
        assert late.say(document, "accept", registrationNumber="N-2") == 202

    between_try_and_settling(late, decide_anew)
    delivery = late.delivery("confirmation")
    assert (late.state(document), delivery.state, delivery.attempts) == ("confirmed", "sent", 2)
    assert [call.fields["registrationNumber"] for call in late.core.calls][-1] == "N-2"


def test_what_is_said_again_before_a_dead_try_is_written_down_is_told_again(late: Late) -> None:
    document = late.defer()
    late.work()
    late.core.mood = Mood.AWAY
    assert late.say(document, "accept") == 202
    with late.country.database.transaction() as connection:
        connection.execute(update(deliveries).values(give_up_at=now()))

    def say_again() -> None:
        late.core.mood = Mood.WELL
        assert late.say(document, "accept") == 202

    between_try_and_settling(late, say_again)
    assert (late.state(document), late.delivery("confirmation").state) == ("confirmed", "sent")


def test_a_late_answer_to_what_was_decided_before_says_nothing_of_what_is_decided_now(late: Late) -> None:
    document = late.defer()
    late.say(document, "accept", registrationNumber="N-1")
    kept = Decisions(late.country.database, Cipher([SECRET_KEY]), Rules())
    before = kept.find_by_action(pending(document)["id"])
    assert before is not None
    kept.conclude(before, DecisionState.REFUSED)
    late.say(document, "accept", registrationNumber="N-2")
    kept.conclude(before, DecisionState.CONFIRMED)
    assert late.state(document) == "confirming"


def test_what_no_retry_cures_fails_at_once_and_says_why(late: Late) -> None:
    document = late.defer()
    late.core.tokens = set()  # core takes none any more
    late.say(document, "accept")
    late.work()
    delivery = late.delivery("confirmation")
    assert (delivery.state, late.state(document)) == ("failed", "refused")
    assert delivery.reason.startswith("core refuses it")


def test_a_rule_that_crashed_is_asked_again_and_core_is_told(make_late: Callable[..., Late], tmp_path: Path) -> None:
    mended = tmp_path / "mended"
    late = make_late(
        "from pathlib import Path\n@on_action('*', '*')\ndef rule(action):\n"
        f"    if not Path({str(mended)!r}).exists():\n        raise RuntimeError\n    return Accept()\n"
    )
    document = late.defer()
    late.work()
    assert late.delivery("decide").state == "queued"
    mended.touch()
    operations.retry(late.country.database, None)
    late.work()
    assert late.state(document) == "confirmed"
    assert late.core.calls[0].fields["registrationNumber"]


def test_what_its_process_left_undecided_is_decided_by_the_worker(make_late: Callable[..., Late]) -> None:
    late = make_late("@on_action('*', '*')\ndef accept(action):\n    return Accept()\n")
    document = question("REGISTER")
    late.core.keep(document)
    assert late.country.ask(document).status_code == 200
    with late.country.database.transaction() as connection:  # as if it had died in between
        connection.execute(
            update(decisions).values(
                state="deciding", verdict=None, answer=None, registration_number=None, lease_until=now() - 1
            )
        )
    late.work()
    assert late.state(document) == "confirmed"


def test_without_a_gateway_the_confirmation_waits_and_says_so(
    make_country: Callable[..., Country], make_worker: MakeWorker, core: Core
) -> None:
    country = make_country(DEFER)
    late = Late(country, make_worker(country), core)
    late.say(late.defer(), "accept")
    late.work()
    assert "GATEWAY_URL" in late.delivery("confirmation").reason


def test_a_token_is_erased_when_it_has_expired_and_a_confirmation_is_refused_until_core_asks_again(late: Late) -> None:
    document = late.defer()
    with late.country.database.transaction() as connection:
        connection.execute(update(decisions).values(token_expires_at=now() - 1))
    late.work()
    with late.country.database.reading() as connection:
        assert connection.scalar(select(decisions.c.token)) is None
    assert late.say(document, "accept") == 422
    late.work()
    assert late.core.calls == []
    assert late.country.ask(document).status_code == 202
    assert late.say(document, "accept") == 202
    late.work()
    assert late.state(document) == "confirmed"


def test_a_token_for_another_event_confirms_nothing(late: Late) -> None:
    document = late.defer()
    for claims in ({"eventId": "3f0d9a52-6a1f-4f3d-9d52-5a5f6c0e3f0b"}, {"eventId": None}):
        token = late.country.token(document, **claims)
        assert late.say(document, "accept", token) == 403
    assert late.say(document, "accept", late.country.token(document)) == 202


def test_what_core_refused_is_accepted_again_with_the_same_number(late: Late) -> None:
    def number() -> str | None:
        with late.country.database.reading() as connection:
            return connection.scalar(select(decisions.c.registration_number))

    document = late.defer()
    late.core.tokens = {"another"}
    assert late.say(document, "accept") == 202
    late.work()
    assert late.state(document) == "refused"
    told_before = number()
    late.core.tokens = None
    assert late.say(document, "accept") == 202
    late.work()
    assert late.state(document) == "confirmed"
    assert number() == told_before is not None


def test_the_list_says_why_and_how_many_more(late: Late, run: Callable[..., Result]) -> None:
    late.defer()
    late.defer("DECLARE")
    listed = run("confirmations", "list", "--limit", "1").output
    assert "ask the" in listed  # the reason of DEFER, in a narrow column
    assert "1 more are open: --limit 2 shows all." in listed


def test_an_operator_lists_accepts_and_rejects(late: Late, run: Callable[..., Result]) -> None:
    first, second = late.defer(), late.defer("DECLARE")
    listed = run("confirmations", "list").output
    assert first["trackingId"] in listed
    assert pending(second)["id"] in listed
    accepted = run("confirmations", "accept", pending(first)["id"], "--registration-number", "N-7")
    assert accepted.exit_code == 0
    assert run("confirmations", "reject", pending(second)["id"], "--reason", "no").exit_code == 0
    again = run("confirmations", "reject", pending(first)["id"], "--reason", "no")
    assert again.exit_code == 1
    assert "confirming" in again.output
    late.work()
    assert {late.state(first), late.state(second)} == {"confirmed"}
    assert "Nothing is open" in run("confirmations", "list").output


def test_whose_word_it_was_is_kept_and_not_the_reason(late: Late, run: Callable[..., Result]) -> None:
    by_client, by_core, by_hand = late.defer(), late.defer("DECLARE"), late.defer("DECLARE")
    assert late.say(by_client, "reject", reason="Amina was not born here") == 202
    assert late.say(by_core, "accept", late.country.token(by_core)) == 202
    assert late.say(by_core, "accept", late.country.token(by_core)) == 202
    assert run("confirmations", "accept", pending(by_hand)["id"]).exit_code == 0
    late.work()
    assert late.say(by_core, "accept", late.country.token(by_core)) == 202  # core has it already: nothing is done
    hand, again, core, client = audit.newest(late.country.database, 4)
    assert (client.who, client.what) == ("client civil-registry", "confirmation.reject")
    assert (core.who, core.what, core.subject) == ("core's token", "confirmation.accept", pending(by_core)["id"])
    assert core.request_id
    assert (again.who, again.subject) == (core.who, core.subject)
    assert hand.who.startswith("operator ")
    assert (hand.subject, hand.request_id) == (pending(by_hand)["id"], None)
    assert "Amina" not in repr([hand, again, core, client])
    assert pending(by_client)["id"] in run("audit", "list", "--subject", client.subject).output


def test_a_word_that_was_not_taken_is_not_kept(late: Late) -> None:
    first, second = late.defer(), late.defer()
    assert late.say(first, "accept", registrationNumber="N-1") == 202
    assert late.say(second, "accept", registrationNumber="N-1") == 422
    assert late.say(first, "reject", reason="no") == 409
    late.work()
    said = [row.subject for row in audit.newest(late.country.database, 50) if row.what.startswith("confirmation")]
    assert said == [pending(first)["id"]]


def test_rules_can_be_tried_on_a_document(make_country: Callable[..., Country], tmp_path: Path) -> None:
    country = make_country("@on_action('birth', 'REGISTER')\ndef no(action):\n    return Reject('Too late')\n")
    event = tmp_path / "event.json"
    environ = {"APP_ENV": "test", "COUNTRY_DIR": str(country.settings.country_dir), "SECRET_KEY": SECRET_KEY}

    def tried(document: Any) -> Result:
        event.write_text(json.dumps(document))
        return CliRunner().invoke(commands, ["rules", "try", str(event)], env=environ)

    assert "400 rejected: Too late" in tried(question("REGISTER")).output
    assert "200 accepted" in tried(question("DECLARE")).output
    assert tried({}).exit_code == 1
    checked = CliRunner().invoke(commands, ["rules", "check"], env=environ)
    assert "birth" in checked.output
