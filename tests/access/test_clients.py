"""API clients and their keys."""

from __future__ import annotations

import hashlib
import string
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from app.access import clients
from app.access.clients import Client, InvalidName, NameTaken, Permission, UnknownClient, UnknownPermission
from app.database import tables
from app.database.engine import Database

WRITE = [Permission.CONFIRMATIONS_WRITE]


def stored(database: Database) -> list[dict[str, object]]:
    with database.reading() as connection:
        return [dict(row) for row in connection.execute(select(tables.clients)).mappings()]


def test_a_key_opens_as_the_client_it_was_made_for(database: Database) -> None:
    mosip, portal = (clients.create(database, name, WRITE) for name in ("mosip", "portal"))
    assert clients.authenticate(database, mosip.key) == mosip.client
    assert clients.authenticate(database, portal.key) == portal.client
    assert mosip.client.name == "mosip"
    assert mosip.client.permissions == {Permission.CONFIRMATIONS_WRITE}
    assert Permission.CONFIRMATIONS_WRITE in mosip.client.permissions


def test_a_key_is_a_prefix_and_32_random_bytes(database: Database) -> None:
    keys = {clients.create(database, str(number), WRITE).key for number in range(5)}
    assert len(keys) == 5
    for key in keys:
        assert key.startswith("cc_")
        assert len(key) == 3 + 43
        assert set(key) <= set(string.ascii_letters + string.digits + "_-")


def test_a_key_is_stored_as_its_hash_alone(database: Database) -> None:
    made = clients.create(database, "mosip", WRITE)
    (row,) = stored(database)
    assert row["key_hash"] == hashlib.sha256(made.key.encode()).hexdigest()
    assert made.key.removeprefix("cc_") not in repr(row)


def test_a_key_is_not_in_the_repr_of_what_is_returned(database: Database) -> None:
    made = clients.create(database, "mosip", WRITE)
    assert made.key not in repr(made)


GARBAGE = [
    "",
    "cc_",
    "cc_" + "A" * 43,
    "cc_" + "A" * 42 + "\n",
    "cc_" + "é" * 43,
    "cc_" + "\ud800" * 43,
    "A" * 46,
    "x" * 1_000_000,
    "'; --",
    "\x00",
    "eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
]


@pytest.mark.parametrize("key", GARBAGE, ids=range(len(GARBAGE)))
def test_what_is_no_key_opens_nothing(database: Database, key: str) -> None:
    clients.create(database, "mosip", WRITE)
    assert clients.authenticate(database, key) is None


def test_neither_the_hash_nor_almost_the_key_opens(database: Database) -> None:
    key = clients.create(database, "mosip", WRITE).key
    changed = key[:-1] + ("A" if key[-1] != "A" else "B")
    for almost in (str(stored(database)[0]["key_hash"]), changed, key[:-1], key + "A", key.swapcase(), f" {key}"):
        assert clients.authenticate(database, almost) is None


def test_a_revoked_key_stops_at_once_and_only_that_one(database: Database) -> None:
    mosip, portal = (clients.create(database, name, WRITE) for name in ("mosip", "portal"))
    assert clients.authenticate(database, mosip.key) is not None
    revoked = clients.revoke(database, "mosip")
    assert revoked.revoked_at is not None
    assert clients.authenticate(database, mosip.key) is None
    assert clients.authenticate(database, portal.key) == portal.client


def test_revoked_twice_the_first_time_stands(database: Database) -> None:
    clients.create(database, "mosip", WRITE)
    assert clients.revoke(database, "mosip") == clients.revoke(database, "mosip")


def test_an_unknown_client_cannot_be_revoked_and_those_with_a_key_are_named(database: Database) -> None:
    for name in ("portal", "mosip", "old"):
        clients.create(database, name, WRITE)
    clients.revoke(database, "old")
    with pytest.raises(UnknownClient, match=r"no client mosp\. Those there are: mosip, portal\."):
        clients.revoke(database, "mosp")


def test_a_name_is_taken_even_after_its_client_was_revoked(database: Database) -> None:
    made = clients.create(database, "mosip", WRITE)
    with pytest.raises(NameTaken, match="mosip"):
        clients.create(database, "mosip", WRITE)
    assert clients.authenticate(database, made.key) == made.client
    clients.revoke(database, "mosip")
    with pytest.raises(NameTaken, match="revoked"):
        clients.create(database, "mosip", WRITE)
    assert len(stored(database)) == 1


def test_of_many_who_ask_for_a_name_at_once_one_gets_it(database: Database) -> None:
    def ask(_: int) -> bool:
        try:
            clients.create(database, "mosip", WRITE)
        except NameTaken:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(ask, range(8))) == 1


@pytest.mark.parametrize("name", ["", " ", " mosip", "mosip ", "mo\nsip", "mo\x00sip", "\ud800", "x" * 101])
def test_a_name_that_cannot_be_told_is_refused(database: Database, name: str) -> None:
    with pytest.raises(InvalidName):
        clients.create(database, name, WRITE)
    assert stored(database) == []


@pytest.mark.parametrize("name", ["x", "x" * 100, "Système d'identité", "నమోదు"])
def test_a_name_may_be_of_any_script(database: Database, name: str) -> None:
    assert clients.create(database, name, WRITE).client.name == name


@pytest.mark.parametrize("permissions", [["confirmations"], ["confirmations:write", "CONFIRMATIONS:WRITE"], [""]])
def test_an_unknown_permission_is_refused_with_those_there_are(database: Database, permissions: list[str]) -> None:
    with pytest.raises(UnknownPermission, match="Those there are: confirmations:write"):
        clients.create(database, "mosip", permissions)
    assert stored(database) == []


def test_a_client_without_permissions_is_known_and_may_do_nothing(database: Database) -> None:
    made = clients.create(database, "mosip", [])
    found = clients.authenticate(database, made.key)
    assert found is not None
    assert found.permissions == frozenset()


def test_all_are_listed_by_name_the_revoked_too(database: Database) -> None:
    assert clients.all(database) == []
    made = {name: clients.create(database, name, [*WRITE, *WRITE]).client for name in ("portal", "mosip")}
    revoked: Client = clients.revoke(database, "portal")
    assert clients.all(database) == [made["mosip"], revoked]
