"""Event actions of core 2.1: its service token, our own client, and an upgrade or a downgrade in between."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from app import country
from app.database.clock import now
from app.database.tables import core_signs, deliveries
from app.decisions.erasure import TokenErasure
from app.decisions.offices import ReadingToken
from app.decisions.store import Decisions
from app.encryption import Cipher
from app.opencrvs.system_client import SystemClient
from app.opencrvs.version_signs import Sign, VersionSigns
from app.outbox import operations
from app.outbox.schedule import DAY
from app.settings import Credentials
from tests.conftest import SECRET_KEY
from tests.decisions.conftest import Country, Late, pending, question
from tests.opencrvs.core_events import CLIENT_SECRET, Core

CLIENT = "5f10f0e9-dafa-48d6-b5e6-551809efa0ab"
SERVICE: dict[str, Any] = {
    "sub": "__SERVICE_USER__",
    "userType": "system",
    "scope": [],
    "eventId": None,
    "actionId": None,
}
MakeLate = Callable[..., Late]


def service(**claims: Any) -> dict[str, Any]:
    """The claims of core 2.1's token, and no others."""
    return SERVICE | claims


@pytest.fixture
def late(make_late: MakeLate, core: Core) -> Late:
    """A country with a client of its own, at core 2.1."""
    core.upgrade()
    core.register(CLIENT)
    return make_late(SYSTEM_CLIENT_ID=CLIENT, SYSTEM_CLIENT_SECRET=CLIENT_SECRET)


class TestTokens:
    """Whose token an event action is taken with."""

    def test_the_service_token_asks_about_the_only_pending_action(self, make_country: Callable[..., Country]) -> None:
        assert make_country().ask(question("REGISTER"), **service()).status_code == 200

    def test_of_several_pending_actions_the_service_token_names_none_and_422_says_so(
        self, make_country: Callable[..., Country]
    ) -> None:
        country, document = make_country(), question("DECLARE")
        token = country.token(document, **service())
        document["actions"].append(pending(document) | {"id": str(uuid.uuid4())})
        answer = country.app.test_client().post(
            "/trigger/events/birth/actions/DECLARE", json=document, headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 422
        assert "2 actions of this event are pending" in answer.text

    def test_a_service_token_that_names_event_and_action_must_name_the_payloads(
        self, make_country: Callable[..., Country]
    ) -> None:
        country, document = make_country(), question("DECLARE")
        named = {"eventId": document["id"], "actionId": pending(document)["id"]}
        assert country.ask(document, **service(**named)).status_code == 200
        assert country.ask(document, **service(**(named | {"eventId": str(uuid.uuid4())}))).status_code == 403
        assert country.ask(document, **service(**(named | {"actionId": str(uuid.uuid4())}))).status_code == 403

    @pytest.mark.parametrize(
        "claims",
        [
            {"sub": "a-registrar", "userType": "user", "scope": ["type=record.register"]},
            {"sub": "__ANONYMOUS_USER__"},
            {"sub": "auth"},
            {"sub": CLIENT, "scope": ["type=record.action.accept"]},
            {"userType": "user"},
        ],
    )
    def test_everybody_elses_token_is_403(self, make_country: Callable[..., Country], claims: dict[str, Any]) -> None:
        assert make_country().ask(question("DECLARE"), **service(**claims)).status_code == 403

    def test_which_core_asked_is_kept_for_an_operator_to_see(self, make_country: Callable[..., Country]) -> None:
        country = make_country()
        country.ask(question("DECLARE"), **service())
        country.ask(question("DECLARE"))
        assert {seen.sign for seen in VersionSigns(country.database).seen(60)} == {Sign.SERVICE, Sign.ACTION_BOUND}


class TestUnknownTypes:
    """An action of a type that only a newer core has."""

    def asked(self, **changes: Any) -> dict[str, Any]:
        document = question("DECLARE")
        waiting = pending(document) | {"type": "REVOKE_REGISTRATION", "content": {"reason": "forged"}} | changes
        document["actions"] = [action for action in document["actions"] if action["id"] != waiting["id"]] + [waiting]
        return document

    def test_it_is_accepted_by_default_and_told_as_a_sign(self, make_country: Callable[..., Country]) -> None:
        country = make_country()
        answer = country.ask(self.asked(), **service())
        assert (answer.status_code, answer.json) == (200, {})
        seen = [(one.sign, one.detail) for one in VersionSigns(country.database).seen(60)]
        assert (Sign.UNKNOWN_ACTION_TYPE, "REVOKE_REGISTRATION") in seen

    def test_it_is_decided_by_the_rules_for_any_action(self, make_country: Callable[..., Country]) -> None:
        rules = "@on_action('*', '*')\ndef no(action):\n    return Reject('not here')\n"
        answer = make_country(rules).ask(self.asked(), **service())
        assert (answer.status_code, answer.json) == (400, {"reason": "not here"})

    def test_what_was_deferred_is_confirmed_at_the_path_that_its_name_makes_likely(self, late: Late) -> None:
        document = self.asked(type="CERTIFY_AGAIN")
        late.core.keep(document)
        assert late.country.ask(document, **service()).status_code == 202
        late.say(document, "accept")
        late.work()
        assert [call.procedure for call in late.core.calls] == ["event.actions.certifyAgain.accept"]

    def test_one_in_the_history_changes_no_answer(self, make_country: Callable[..., Country]) -> None:
        document = question("REGISTER")
        newer = {"id": str(uuid.uuid4()), "type": "REVOKE_REGISTRATION", "status": "Accepted"}
        document["actions"].insert(0, {**pending(document), **newer})
        assert make_country().ask(document, **service()).status_code == 200


class TestConfirming:
    """With our own client, since the service token confirms nothing."""

    def test_an_accept_goes_out_with_the_clients_token_and_keeps_the_assignment(self, late: Late) -> None:
        document = late.defer(**service())
        assert late.say(document, "accept") == 202
        late.work()
        assert late.state(document) == "confirmed"
        (call,) = late.core.calls
        assert call.fields["keepAssignment"] is True
        assert late.core.tokens_given == 1

    def test_the_token_is_fetched_once_for_many(self, late: Late) -> None:
        for _ in range(3):
            late.say(late.defer(**service()), "accept")
        late.work()
        assert (len(late.core.calls), late.core.tokens_given) == (3, 1)

    def test_a_token_that_core_does_not_take_any_more_is_renewed_once(self, late: Late) -> None:
        first, second = late.defer(**service()), late.defer(**service())
        late.say(first, "accept")
        late.work()
        late.core.withdraw_tokens()
        late.say(second, "accept")
        late.work()
        assert late.state(second) == "confirmed"
        assert late.core.tokens_given == 2

    @pytest.mark.parametrize("action_type", ["REJECT", "APPROVE_CORRECTION"])
    def test_core_2_1_takes_a_late_reject_of_every_type(self, late: Late, action_type: str) -> None:
        document = late.defer(action_type, **service())
        assert late.say(document, "reject", reason="no") == 202
        late.work()
        assert late.state(document) == "confirmed"

    def test_while_the_auth_service_is_away_it_is_tried_again(self, late: Late) -> None:
        document = late.defer(**service())
        late.say(document, "accept")
        late.core.auth_is_away = True
        late.work()
        assert (late.state(document), late.delivery("confirmation").state) == ("confirming", "queued")
        late.core.auth_is_away = False
        operations.retry(late.country.database, None)
        late.work()
        assert late.state(document) == "confirmed"

    def test_credentials_that_core_does_not_know_are_tried_again_and_said_without_the_secret(self, late: Late) -> None:
        document = late.defer(**service())
        late.core.clients.clear()
        late.say(document, "accept")
        with capture_logs() as logs:
            late.work()
        assert late.state(document) == "confirming"
        assert "invalid_client" in late.delivery("confirmation").reason
        assert "SYSTEM_CLIENT_ID" in late.delivery("confirmation").reason
        assert CLIENT_SECRET not in repr(logs)
        late.core.register(CLIENT)
        operations.retry(late.country.database, None)
        late.work()
        assert late.state(document) == "confirmed"

    def test_a_client_without_the_scope_is_an_operators_case(self, late: Late) -> None:
        document = late.defer(**service())
        late.core.register(CLIENT, "type=record.read")
        late.say(document, "accept")
        late.work()
        assert late.state(document) == "refused"
        assert "record.action.accept" in late.delivery("confirmation").reason
        late.core.register(CLIENT)  # with the scopes, which only a new token has
        operations.retry(late.country.database, None)
        late.work()
        assert late.state(document) == "confirmed"

    def test_a_client_bound_to_other_event_types_is_told_not_found(self, late: Late) -> None:
        document = late.defer(**service())
        late.core.register(CLIENT, "type=record.action.accept&event=death", "type=record.read")
        late.say(document, "accept")
        late.work()
        assert late.state(document) == "refused"
        assert "event type is not in our client's scopes" in late.delivery("confirmation").reason


class TestAssigned:
    """Somebody holds the record at core."""

    def test_it_is_waited_for_and_shown_as_what_it_is(self, late: Late) -> None:
        document = late.defer(**service())
        late.core.assigned.add(document["id"])
        late.say(document, "accept")
        late.work()
        delivery = late.delivery("confirmation")
        assert (late.state(document), delivery.state) == ("confirming", "queued")
        assert "somebody holds the record" in delivery.reason
        assert "User is assigned to this event" in delivery.reason
        late.core.assigned.clear()
        operations.retry(late.country.database, None)
        late.work()
        assert late.state(document) == "confirmed"

    def test_there_is_no_end_to_the_waiting_and_a_day_of_it_is_alerted(self, late: Late) -> None:
        document = late.defer(**service())
        late.core.assigned.add(document["id"])
        late.say(document, "accept")
        late.work()
        with late.country.database.transaction() as connection:
            connection.execute(update(deliveries).values(created_at=now() - 400 * 86_400, attempts=2_000, due_at=now()))
        late.work()
        assert late.delivery("confirmation").state == "queued"
        assert late.delivery("confirmation").give_up_at is None
        late.set(document, decided_at=-90_000)
        assert late.alerted(document) == "unconfirmed"


class TestOtherVerdicts:
    """Somebody else has confirmed the action at core: what core has is what is kept."""

    def test_core_has_another_registration_number(self, late: Late) -> None:
        document = late.defer(**service())
        late.core.confirm_elsewhere(document["id"], pending(document)["id"], registrationNumber="MOSIP-1")
        late.say(document, "accept", registrationNumber="OURS-1")
        with capture_logs() as logs:
            late.work()
        answer = late.country.ask(document, **service())
        assert (answer.status_code, answer.json) == (200, {"registrationNumber": "MOSIP-1"})
        (line,) = [line for line in logs if line["event"] == "decision.superseded_by_core"]
        assert line["differs"] == ["registration number"]
        assert "MOSIP-1" not in repr(line)
        assert late.core.read_times(document["id"]) == 0

    def test_core_has_a_number_that_another_decision_holds_here(self, late: Late) -> None:
        first, second = late.defer(**service()), late.defer(**service())
        late.core.clients.clear()
        late.say(first, "accept", registrationNumber="N-1")
        late.core.confirm_elsewhere(second["id"], pending(second)["id"], registrationNumber="N-1")
        late.core.register(CLIENT)
        late.say(second, "accept", registrationNumber="N-2")
        late.work()
        answer = late.country.ask(second, **service())
        assert (late.state(second), answer.json) == ("confirmed", {"registrationNumber": "N-1"})

    def test_core_has_rejected_what_we_accept(self, late: Late) -> None:
        document = late.defer(**service())
        late.core.confirm_elsewhere(document["id"], pending(document)["id"], status="Rejected")
        late.say(document, "accept")
        late.work()
        assert late.state(document) == "confirmed"
        assert late.country.ask(document, **service()).status_code == 400
        assert late.core.read_times(document["id"]) == 0

    def test_core_has_accepted_what_we_reject_and_is_read_once(self, late: Late) -> None:
        document = late.defer(**service())
        late.core.confirm_elsewhere(
            document["id"], pending(document)["id"], registrationNumber="MOSIP-2", declaration={"child.nid": "1"}
        )
        late.say(document, "reject", reason="no")
        late.work()
        late.work()
        answer = late.country.ask(document, **service())
        assert (answer.status_code, answer.json) == (
            200,
            {"registrationNumber": "MOSIP-2", "declaration": {"child.nid": "1"}},
        )
        assert late.core.read_times(document["id"]) == 1

    def test_a_record_that_cannot_be_read_is_read_twice_at_most(self, late: Late) -> None:
        document = late.defer(**service())
        late.core.is_unreadable = True
        late.core.confirm_elsewhere(document["id"], pending(document)["id"], registrationNumber="MOSIP-2")
        late.say(document, "reject", reason="no")
        for _ in range(4):
            late.work()
            with late.country.database.transaction() as connection:
                connection.execute(update(deliveries).where(deliveries.c.state == "queued").values(due_at=now()))
        assert late.state(document) == "refused"
        assert late.core.read_times(document["id"]) == 2

    def test_our_number_is_kept_where_core_names_none(self, late: Late) -> None:
        document = late.defer(**service())
        late.core.confirm_elsewhere(document["id"], pending(document)["id"])
        late.say(document, "accept", registrationNumber="OURS-1")
        late.work()
        answer = late.country.ask(document, **service())
        assert (answer.status_code, answer.json) == (200, {"registrationNumber": "OURS-1"})

    def test_the_number_of_what_core_has_rejected_is_free_again(self, late: Late) -> None:
        first, second = late.defer(**service()), late.defer(**service())
        late.core.confirm_elsewhere(first["id"], pending(first)["id"], status="Rejected")
        late.say(first, "accept", registrationNumber="OURS-9")
        late.work()
        assert late.say(second, "accept", registrationNumber="OURS-9") == 202

    def test_a_client_that_may_not_read_leaves_it_to_an_operator(self, late: Late) -> None:
        document = late.defer(**service())
        late.core.register(CLIENT, "type=record.action.accept", "type=record.action.reject")
        late.core.confirm_elsewhere(document["id"], pending(document)["id"], registrationNumber="MOSIP-3")
        late.say(document, "reject", reason="no")
        late.work()
        assert late.state(document) == "refused"
        assert "already been accepted" in late.delivery("confirmation").reason

    def test_an_id_that_waits_for_nothing_is_a_fault_that_is_shown(self, late: Late) -> None:
        document = late.defer(**service())
        late.core.set_status(document["id"], pending(document)["id"], "Accepted")
        late.say(document, "accept")
        late.work()
        assert late.state(document) == "refused"
        assert "another core" in late.delivery("confirmation").reason

    def test_a_confirmation_that_core_drops_is_not_taken_for_done(self, late: Late) -> None:
        first = late.defer("DECLARE", **service())
        twin = question("DECLARE")
        for action in twin["actions"]:
            if action["id"] == pending(twin)["id"]:
                action["transactionId"] = pending(first)["transactionId"]
        late.core.keep(twin)
        assert late.country.ask(twin, **service()).status_code == 202
        for document in (first, twin):
            late.say(document, "accept")
        late.work()
        assert {late.state(first), late.state(twin)} == {"confirmed", "refused"}


class TestUpgrades:
    """A country upgrades core while actions wait."""

    def test_what_core_2_0_asked_is_confirmed_at_core_2_1(self, late: Late) -> None:
        late.core.downgrade()
        document = late.defer()
        late.core.upgrade()
        late.say(document, "accept")
        late.work()
        assert late.state(document) == "confirmed"
        assert len(late.core.calls) == 2  # the action's own token first, which core 2.1 does not take

    def test_what_core_2_1_asked_is_confirmed_at_core_2_0_once_it_asks_again(self, late: Late) -> None:
        document = late.defer("DECLARE", **service())
        late.core.downgrade()
        late.say(document, "accept")
        late.work()
        assert late.state(document) == "refused"
        assert late.country.ask(document).status_code == 202
        late.work()
        assert late.state(document) == "confirmed"

    def test_core_2_0_is_confirmed_without_our_client(self, late: Late) -> None:
        late.core.downgrade()
        document = late.defer()
        late.say(document, "accept")
        late.work()
        assert late.state(document) == "confirmed"
        (call,) = late.core.calls
        token = str(call.authorization).removeprefix("Bearer ")
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["actionId"] == pending(document)["id"]

    def test_a_late_reject_that_core_2_0_did_not_take_is_taken_after_the_upgrade(self, late: Late) -> None:
        late.core.downgrade()
        document = late.defer("REJECT")
        assert late.say(document, "reject", reason="no") == 422
        late.core.upgrade()
        late.defer("DECLARE", **service())
        assert late.say(document, "reject", reason="no") == 202
        late.work()
        assert late.state(document) == "confirmed"

    def test_a_token_that_ends_is_no_alert_once_core_2_1_has_called(self, late: Late) -> None:
        late.core.downgrade()
        document = late.defer()
        late.set(document, token_expires_at=60)
        late.core.upgrade()
        late.defer("DECLARE", **service())
        assert late.alerted(document) == ""
        late.set(document, token_expires_at=-60)
        TokenErasure(late.country.database).erase_expired()
        assert late.alerted(document) == ""
        late.say(document, "accept")
        late.work()
        assert late.state(document) == "confirmed"

    def test_core_2_1_is_remembered_until_core_2_0_calls(self, late: Late) -> None:
        late.core.downgrade()
        document = late.defer()
        late.core.upgrade()
        late.defer("DECLARE", **service())
        late.set(document, token_expires_at=60)
        with late.country.database.transaction() as connection:  # a long weekend
            connection.execute(
                update(core_signs).values(
                    first_seen_at=core_signs.c.first_seen_at - 9 * DAY, last_seen_at=core_signs.c.last_seen_at - 9 * DAY
                )
            )
        assert late.alerted(document) == ""
        late.core.downgrade()
        VersionSigns(late.country.database).record(Sign.ACTION_BOUND)
        assert late.alerted(document) == "ending"

    def test_an_ended_token_at_core_2_0_is_alerted_with_what_helps_there(self, late: Late) -> None:
        late.core.downgrade()
        document = late.defer()
        late.set(document, token_expires_at=-60)
        TokenErasure(late.country.database).erase_expired()
        with capture_logs() as logs:
            assert late.alerted(document) == "unconfirmable"
        (line,) = [line for line in logs if line["event"] == "decision.open"]
        assert "SYSTEM_CLIENT_ID" not in line["advice"]
        assert "core 2.0" in line["advice"]

    def test_lists_are_read_with_our_client_once_core_2_1_has_called(self, late: Late) -> None:
        decisions = Decisions(late.country.database, Cipher([SECRET_KEY]), country.load(None))
        client = SystemClient(f"{late.core.url}/auth", Credentials(CLIENT, CLIENT_SECRET))
        reading = ReadingToken(decisions, client)
        late.core.downgrade()
        late.defer()
        assert (reading() != "", late.core.tokens_given) == (True, 0)
        late.core.upgrade()
        late.defer("DECLARE", **service())
        assert (reading(), late.core.tokens_given) == (client.token(), 1)


class TestWithoutClient:
    """Core 2.1, and no client of ours is configured."""

    def test_the_first_defer_is_alerted_with_what_to_do(self, make_late: MakeLate, core: Core) -> None:
        core.upgrade()
        late = make_late(ALERT_EMAIL="operator@registry.test")
        with capture_logs() as logs:
            document = late.defer(**service())
            assert late.alerted(document) == "unconfirmable"
        missing, *_ = [line for line in logs if line["event"] == "system_client.missing"]
        assert "SYSTEM_CLIENT_ID" in missing["hint"]
        late.work()
        with late.country.database.reading() as connection:
            mails = connection.execute(select(deliveries).where(deliveries.c.message == "decision-open")).all()
        assert len(mails) == 1

    def test_a_confirmation_that_core_refuses_says_what_is_missing(self, make_late: MakeLate, core: Core) -> None:
        late = make_late()
        document = late.defer()
        core.upgrade()
        late.say(document, "accept")
        late.work()
        assert late.state(document) == "refused"
        assert "set SYSTEM_CLIENT_ID" in late.delivery("confirmation").reason
        with capture_logs() as logs:
            late.alerted(document)
        (line,) = [line for line in logs if line["event"] == "decision.open"]
        assert "outbox retry" in line["advice"]

    def test_an_accept_by_hand_says_what_is_missing(self, make_late: MakeLate, core: Core) -> None:
        core.upgrade()
        late = make_late()
        document = late.defer(**service())
        assert late.say(document, "accept") == 422
        assert late.state(document) == "deferred"


def test_with_a_client_nothing_is_late(late: Late) -> None:
    document = late.defer(**service())
    assert late.alerted(document) == ""


def test_no_token_of_core_2_1_is_kept(late: Late) -> None:
    assert late.row(late.defer(**service())).token is None
