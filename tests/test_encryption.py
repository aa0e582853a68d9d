"""What is kept can be read with the right keys, and by nobody else."""

from __future__ import annotations

import json
from datetime import date

import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st

from app.encryption import Cipher, UnknownKey

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))

surrogates = st.characters(categories=["Cs"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters() | surrogates),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(json_values)
@settings(max_examples=150, deadline=None)
def test_any_json_value_comes_back_as_it_was(value: object) -> None:
    cipher = Cipher([NEW])
    assert cipher.decrypt(cipher.encrypt(value)) == value


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\0", "a\0b", "é漢🙂", ""], ids=ascii)
def test_surrogates_and_nul_survive(text: str) -> None:
    cipher = Cipher([NEW])
    assert cipher.decrypt(cipher.encrypt({text: [text]})) == {text: [text]}


def test_what_is_encrypted_shows_nothing() -> None:
    assert b"730164" not in Cipher([NEW]).encrypt({"code": "730164"})


def test_the_same_is_encrypted_differently_each_time() -> None:
    cipher = Cipher([NEW])
    assert cipher.encrypt("730164") != cipher.encrypt("730164")


def test_after_a_rotation_the_old_key_decrypts_and_the_new_one_encrypts() -> None:
    before, after = Cipher([OLD]), Cipher([NEW, OLD])
    assert after.decrypt(before.encrypt("kept")) == "kept"
    assert json.loads(Fernet(NEW).decrypt(after.encrypt("kept"))) == "kept"
    with pytest.raises(UnknownKey):
        before.decrypt(after.encrypt("kept"))


def test_a_key_that_is_gone_is_named_with_its_cure() -> None:
    with pytest.raises(UnknownKey, match="SECRET_KEY: put the old key back"):
        Cipher([NEW]).decrypt(Cipher([OLD]).encrypt("kept"))


@pytest.mark.parametrize("damaged", [b"", b"not a token", b"gAAAAA"])
def test_what_is_no_token_is_an_unknown_key_too(damaged: bytes) -> None:
    with pytest.raises(UnknownKey):
        Cipher([NEW]).decrypt(damaged)


def test_values_of_a_countrys_own_fields_are_kept_as_text() -> None:
    cipher = Cipher([NEW])
    assert cipher.decrypt(cipher.encrypt({"discharged": date(2026, 11, 21)})) == {"discharged": "2026-11-21"}


def test_a_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    cipher = Cipher([NEW])
    assert cipher.fingerprint("p", {"a": 1, "b": {"c": 2, "d": 3}}) == cipher.fingerprint(
        "p", {"b": {"d": 3, "c": 2}, "a": 1}
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("p", {"a": 1}), ("q", {"a": 1})),
        (("p", {"a": 1}), ("p", {"a": 2})),
        (("p", ["a", "b"]), ("p", ["b", "a"])),
        (("p", "a"), ("pa", "")),
        (("p", "1"), ("p", 1)),
    ],
)
def test_a_fingerprint_tells_different_things_apart(one: tuple[object, ...], other: tuple[object, ...]) -> None:
    cipher = Cipher([NEW])
    assert cipher.fingerprint(*one) != cipher.fingerprint(*other)


def test_a_fingerprint_outlives_the_adding_of_a_newer_key_and_needs_the_key() -> None:
    assert Cipher([OLD]).fingerprint("p") == Cipher([NEW, OLD]).fingerprint("p")
    assert Cipher([OLD]).fingerprint("p") != Cipher([NEW]).fingerprint("p")


def test_a_fingerprint_takes_surrogates_and_nul() -> None:
    assert len(Cipher([NEW]).fingerprint("p", {"\ud800": "\0"})) == 64
