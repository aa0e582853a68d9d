"""The store of the development inbox."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import select

from app.database.engine import Database
from app.database.tables import inbox as table
from app.encryption import Cipher
from app.notifications.inbox import Inbox


@pytest.fixture
def inbox(database: Database, cipher: Cipher) -> Inbox:
    return Inbox(database, cipher)


def test_a_message_comes_back_as_it_was_put(inbox: Inbox) -> None:
    before = time.time()
    inbox.put(
        "d1", "email", sender="a@x.test", to=["b@x.test"], bcc=["c@x.test"], subject="S\0", html="<p>\ud800", text="T"
    )
    found = inbox.get("d1")
    assert found is not None
    assert found.received_at == pytest.approx(before, abs=5)
    assert (found.channel, found.sender, found.to, found.bcc) == ("email", "a@x.test", ("b@x.test",), ("c@x.test",))
    assert (found.subject, found.html, found.text) == ("S\0", "<p>\ud800", "T")


def test_the_newest_comes_first(inbox: Inbox) -> None:
    for name in ("d1", "d2", "d3"):
        inbox.put(name, "sms", sender="", to=["+260"], text=name)
    assert [message.text for message in inbox.newest()] == ["d3", "d2", "d1"]
    assert [message.text for message in inbox.newest(limit=1)] == ["d3"]


def test_the_same_delivery_again_takes_the_place_of_the_first(inbox: Inbox) -> None:
    inbox.put("d1", "sms", sender="", to=["+260"], text="one")
    inbox.put("d1", "email", sender="", to=["b@x.test"], text="two", subject="S")
    (found,) = inbox.newest()
    assert (found.channel, found.to, found.text, found.subject) == ("email", ("b@x.test",), "two", "S")


def test_what_is_cleared_is_gone(inbox: Inbox) -> None:
    inbox.put("d1", "sms", sender="", to=["+260"], text="one")
    inbox.clear()
    assert inbox.newest() == []
    assert inbox.get("d1") is None


@pytest.mark.parametrize("delivery_id", ["", "nothing", "d\0", "' OR 1=1"])
def test_there_is_no_such_message(inbox: Inbox, delivery_id: str) -> None:
    assert inbox.get(delivery_id) is None


def test_nothing_of_a_message_can_be_read_in_the_database(inbox: Inbox, database: Database) -> None:
    inbox.put("d1", "email", sender="a@x.test", to=["b@x.test"], text="code 123456", subject="Hello")
    assert "123456" not in repr(inbox.get("d1"))
    with database.reading() as connection:
        row = connection.execute(select(table)).one()
    assert not [word for word in (b"123456", b"x.test", b"Hello") if word in bytes(row.content)]
