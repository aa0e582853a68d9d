"""What is counted of deliveries, as a worker settles them."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import update
from structlog.testing import capture_logs

from app.database.clock import now
from app.database.tables import deliveries, triggers
from app.metrics.delivered import Delivered, Outcome
from app.outbox.delivery import Delivery, Dropped, Failed, NewDelivery, Retry, Sender, Sent
from app.outbox.settling import Settled
from app.outbox.states import Priority, Reason, State
from app.outbox.worker import Worker
from tests.metrics.scraping import Figures, collected
from tests.outbox.conftest import Outbox


def owed(key: str = "email", priority: Priority = Priority.OTP, recipient: str | None = "a***@b.test") -> NewDelivery:
    return NewDelivery(
        key=key, channel="email", destination="smtp", priority=priority, message="2fa", recipient=recipient
    )


def after(outbox: Outbox, sender: Sender) -> Figures:
    """What has been counted once the worker has worked off all that is due."""
    registry = CollectorRegistry()
    Worker(outbox.database, outbox.cipher, {"email": sender}, observe=Delivered(registry).observe).run_until_idle()
    return collected(registry)


@pytest.mark.parametrize(
    ("came", "counted"),
    [
        pytest.param(Sent(), "sent", id="sent"),
        pytest.param(Retry("greylisted"), "retried", id="tried again"),
        pytest.param(Failed("no such mailbox"), "failed", id="failed"),
        pytest.param(Dropped(Reason.EXPIRED), "expired", id="expired"),
        pytest.param(Dropped(Reason.DEMO_ADDRESS), "dropped", id="dropped"),
    ],
)
def test_each_try_is_counted_by_what_came_of_it(
    outbox: Outbox, came: Sent | Retry | Failed | Dropped, counted: str
) -> None:
    outbox.owe(owed())
    figures = after(outbox, lambda _: came)
    for outcome in Outcome:
        expected = 1 if outcome == counted else 0
        assert figures.of("deliveries_total", channel="email", destination="smtp", outcome=outcome) == expected
    assert figures.of("try_duration_seconds_count", channel="email") == 1


def test_what_was_dropped_without_a_try_is_counted_too(outbox: Outbox) -> None:
    outbox.owe(owed())
    demo = NewDelivery(
        "sms", "sms", "sms", Priority.OTP, state=State.DROPPED, reason=Reason.DEMO_ADDRESS, recipient="+2***"
    )
    refused = NewDelivery("email.2", "email", "email", Priority.OTP, state=State.FAILED, reason="no address at all")
    figures = after(outbox, lambda _: Sent(follow_ups=[demo, refused]))
    assert figures.of("deliveries_total", channel="sms", destination="sms", outcome="dropped") == 1
    assert figures.of("deliveries_total", channel="email", destination="email", outcome="failed") == 1
    assert figures.of("deliveries_total", channel="email", destination="smtp", outcome="sent") == 1
    assert figures.of("try_duration_seconds_count", channel="sms") is None


def test_what_another_worker_has_taken_over_is_not_counted_as_sent(outbox: Outbox) -> None:
    outbox.owe(owed())

    def slow(_: Delivery) -> Sent:
        outbox.set(attempts=7)  # as another worker does that claims it, once the lease is over
        return Sent()

    figures = after(outbox, slow)
    assert figures.of("deliveries_total", channel="email", destination="smtp", outcome="superseded") == 1
    assert figures.of("deliveries_total", channel="email", destination="smtp", outcome="sent") == 0
    assert figures.total("received_to_sent_seconds_count") == 0


@pytest.mark.parametrize(
    ("path", "created_ago", "within", "not_within"),
    [
        pytest.param("user/2fa", 1, "60.0", "30.0", id="from the trigger"),
        pytest.param("events/birth/actions/REGISTER", 7, "10.0", "5.0", id="news of an action from when it is owed"),
    ],
)
def test_the_way_of_a_message_is_measured_by_the_databases_clock(
    outbox: Outbox, path: str, created_ago: float, within: str, not_within: str
) -> None:
    outbox.owe(owed(priority=Priority.TRANSACTIONAL))
    with outbox.database.transaction() as connection:
        connection.execute(update(triggers).values(received_at=now() - 40, path=path))
        connection.execute(update(deliveries).values(created_at=now() - created_ago))
    figures = after(outbox, lambda _: Sent())
    labels = {"channel": "email", "priority": "transactional"}
    assert figures.of("received_to_sent_seconds_bucket", **labels, le=within) == 1
    assert figures.of("received_to_sent_seconds_bucket", **labels, le=not_within) == 0


def test_codes_and_broadcasts_are_measured_apart(outbox: Outbox) -> None:
    outbox.owe(owed("email"), owed("email.2", Priority.BULK), owed("email.3", Priority.BULK))
    figures = after(outbox, lambda _: Sent())
    assert figures.of("received_to_sent_seconds_count", channel="email", priority="otp") == 1
    assert figures.of("received_to_sent_seconds_count", channel="email", priority="bulk") == 2


@pytest.mark.parametrize("came", [Retry("greylisted"), Failed("no such mailbox"), Dropped(Reason.EXPIRED)])
def test_only_what_was_sent_was_on_the_way(outbox: Outbox, came: Retry | Failed | Dropped) -> None:
    outbox.owe(owed())
    assert after(outbox, lambda _: came).total("received_to_sent_seconds_count") == 0


def test_what_goes_to_nobody_is_no_message(outbox: Outbox) -> None:
    outbox.owe(owed(recipient=None))
    figures = after(outbox, lambda _: Sent())
    assert figures.total("received_to_sent_seconds_count") == 0
    assert figures.of("deliveries_total", channel="email", destination="smtp", outcome="sent") == 1


def test_delivery_goes_on_where_it_cannot_be_counted(outbox: Outbox) -> None:
    def broken(_: Settled) -> None:
        raise OSError("no space left on device")

    outbox.owe(owed("email"), owed("email.2"))
    with capture_logs() as logs:
        Worker(outbox.database, outbox.cipher, {"email": lambda _: Sent()}, observe=broken).run_until_idle()
    assert [row.state for row in outbox.all()] == ["sent", "sent"]
    assert [line["event"] for line in logs].count("observer.crashed") == 2
