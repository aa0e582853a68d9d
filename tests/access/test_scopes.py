"""The names of the scopes of core's tokens, in core's own spellings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.scopes import scope_names

# As `encodeScope` of packages/commons writes them, and as the roles of the reference country config have them.
ENCODED = [
    ("type=record.reindex", "record.reindex"),
    ("type=integration.create", "integration.create"),
    ("type=record.confirm-registration", "record.confirm-registration"),
    ("type=record.action.accept&event=birth,death", "record.action.accept"),
    ("type=record.create&event=birth,death&placeOfEvent=administrativeArea", "record.create"),
    ("type=record.print-certified-copies&templates=birth-certificate", "record.print-certified-copies"),
    ("type=user.create&role=LOCAL_REGISTRAR,REGISTRATION_AGENT&accessLevel=administrativeArea", "user.create"),
    ("event=birth&type=record.read", "record.read"),
]
BARE = [
    ("record.reindex", "record.reindex"),
    ("user.create:all", "user.create:all"),
    ("record.declared.reject[event=birth|death|tennis-club-membership]", "record.declared.reject"),
]


@pytest.mark.parametrize(("scope", "name"), ENCODED + BARE)
def test_a_scope_is_known_by_its_name_in_either_spelling(scope: str, name: str) -> None:
    assert scope_names({"scope": [scope]}) == {name}


def test_all_scopes_of_a_list_are_granted() -> None:
    assert scope_names({"scope": [scope for scope, _ in ENCODED]}) == {name for _, name in ENCODED}


def test_a_text_with_spaces_holds_several_scopes() -> None:
    assert scope_names({"scope": "type=record.read&event=birth record.reindex"}) == {"record.read", "record.reindex"}


@pytest.mark.parametrize("scope", [None, "", [], {}, 7, [None, 7, {}], ["", " ", "?", "event=birth", "type="]])
def test_what_is_not_a_scope_grants_nothing(scope: Any) -> None:
    assert scope_names({"scope": scope}) == frozenset()


def test_a_token_without_the_claim_grants_nothing() -> None:
    assert scope_names({}) == frozenset()


@pytest.mark.parametrize(
    "scope",
    ["record.reindexed", "type=record.reindex.all", "kind=record.reindex", "event=record.reindex", "x&record.reindex"],
)
def test_a_name_that_only_looks_like_another_is_not_that_one(scope: str) -> None:
    assert "record.reindex" not in scope_names({"scope": [scope]})


@given(st.text() | st.lists(st.text() | st.none() | st.integers()))
def test_any_claim_is_read(scope: Any) -> None:
    assert all(isinstance(name, str) and name for name in scope_names({"scope": scope}))
