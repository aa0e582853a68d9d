"""What becomes of an e-mail that the mail server takes for some, and refuses for others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from app.database.engine import Database
from app.encryption import Cipher
from app.notifications.email.answers import Refusal, SenderRefused, SendResult
from app.notifications.email.mime import Email
from app.notifications.email.sender import email_sender
from app.outbox import operations
from app.outbox.delivery import Delivery, Failed, NewDelivery, Outcome, Retry, Sender, Trigger
from app.outbox.states import Priority, State
from tests.notifications.rendering import RENDERER, VARIABLES
from tests.outbox.conftest import Outbox

TAKEN, BUSY, GONE = "taken@registry.test", "busy@registry.test", "gone@registry.test"
REFUSALS = {BUSY: Refusal(False, "450 mailbox busy"), GONE: Refusal(True, "550 no such user")}
CODE = {"code": "730164"}


class MailServer:
    """A transport that takes a message for all whom `refusals` does not name."""

    def __init__(self, refusals: Mapping[str, Refusal] = REFUSALS) -> None:
        self.refusals = dict(refusals)
        self.asked: list[set[str]] = []

    def __call__(self, email: Email, _expired: Callable[[], bool]) -> SendResult:
        recipients = (*email.to, *email.bcc)
        self.asked.append(set(recipients))
        refused = {address: self.refusals[address] for address in recipients if address in self.refusals}
        accepted = tuple(address for address in recipients if address not in refused)
        reply = "250 OK" if accepted else next(iter(refused.values())).reply
        return SendResult(reply, refused, accepted)

    @property
    def sender(self) -> Sender:
        return email_sender(RENDERER, self, "no-reply@registry.test", "registry.test", VARIABLES)


@pytest.fixture
def outbox(database: Database, cipher: Cipher) -> Outbox:
    return Outbox(database, cipher)


def owed_to(to: Sequence[str], bcc: Sequence[str] = ()) -> NewDelivery:
    return NewDelivery(
        key="email",
        channel="email",
        destination="smtp",
        priority=Priority.OTP,
        message="2fa",
        payload={"to": list(to), "bcc": list(bcc), "language": "en"},
    )


def states(outbox: Outbox) -> dict[str, str]:
    return {row.key: row.state for row in outbox.all()}


@pytest.mark.parametrize(
    ("recipients", "parent"),
    [([TAKEN, BUSY, GONE], State.SENT), ([BUSY, GONE], State.DROPPED)],
    ids=["somebody took it", "nobody took it"],
)
def test_a_retry_of_what_was_refused_concerns_its_own_addresses_alone(
    outbox: Outbox, recipients: list[str], parent: State
) -> None:
    server = MailServer()
    outbox.owe(owed_to(recipients[:1], recipients[1:]), secrets=CODE)
    outbox.run(email=server.sender)
    assert states(outbox) == {"email": parent, "email.later.1": State.QUEUED, "email.refused.1": State.FAILED}
    assert server.asked == [set(recipients), {BUSY}]

    server.asked.clear()
    server.refusals.clear()
    operations.retry(outbox.database, None)
    outbox.run(email=server.sender)
    assert sorted(server.asked, key=sorted) == [{BUSY}, {GONE}]
    assert states(outbox) == {"email": parent, "email.later.1": State.SENT, "email.refused.1": State.SENT}


def test_what_was_split_says_so(outbox: Outbox) -> None:
    outbox.owe(owed_to([BUSY, GONE]), secrets=CODE)
    outbox.run(email=MailServer().sender)
    reasons = {row.key: row.reason for row in outbox.all()}
    assert reasons["email"].startswith("split: ")
    assert reasons["email.refused.1"] == "refused by the mail server: 550 no such user"


@pytest.mark.parametrize(("refused", "state"), [(BUSY, State.QUEUED), (GONE, State.FAILED)])
def test_where_all_are_refused_alike_nothing_is_split(outbox: Outbox, refused: str, state: State) -> None:
    outbox.owe(owed_to([refused]), secrets=CODE)
    outbox.run(email=MailServer().sender)
    assert states(outbox) == {"email": state}


def refusing(_email: Email, _expired: Callable[[], bool]) -> SendResult:
    raise SenderRefused("553 no")


@pytest.mark.parametrize(
    ("message", "payload", "state"),
    [
        ("2fa", {"recipient": {}, "code": "730164"}, Retry),
        ("alert", {"subject": "Disk full", "html": "<p>Full</p>"}, Retry),
        ("alert", {"subject": "Disk full", "html": "<p>Full</p>", "from": "alerts@elsewhere.test"}, Failed),
    ],
)
def test_a_sender_that_is_refused_waits_for_its_setting(
    message: str, payload: Mapping[str, object], state: type[Outcome]
) -> None:
    asked = Delivery(
        *("delivery-1", "email", "email", "smtp", message, Priority.TRANSACTIONAL, 1),
        payload={"to": [TAKEN], "bcc": [], "language": "en"},
        trigger=Trigger("trigger-1", "email", 0.0, "request-1", None, payload),
    )
    outcome = email_sender(RENDERER, refusing, "no-reply@registry.test", "registry.test", VARIABLES)(asked)
    assert isinstance(outcome, state)
    assert not isinstance(outcome, Retry) or (outcome.destination_down and "SENDER_EMAIL_ADDRESS" in outcome.answer)
