"""What can be done with an address."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.notifications.recipients import Usable, address_for, judge_email, judge_mobile, masked_list, sort_emails

any_text = st.text(st.characters() | st.characters(categories=["Cs"]) | st.sampled_from("@.\0<>\"' "), max_size=30)
moderately = settings(max_examples=200, deadline=None)


@pytest.mark.parametrize(
    "address",
    [
        "amina@sink.test",
        "amina.mwale+crvs@mail.registry.gov.zm",
        "o'brien@registry.test",
        "AMINA@REGISTRY.TEST",
        " amina@sink.test\n",
        "amina@mail.local",
        "amina@localhost",
        "nguyễn@bücher.test",
        "x@sub.example.com",
        "x@example.com.zm",
        "x@notexample.com",
        "example.com@registry.test",
    ],
)
def test_an_address_by_its_form_can_be_used(address: str) -> None:
    assert judge_email(address) is Usable.YES


@pytest.mark.parametrize("address", [None, "", " ", "\t\n"], ids=repr)
def test_there_may_be_no_address(address: str | None) -> None:
    assert judge_email(address) is Usable.ABSENT
    assert judge_mobile(address) is Usable.ABSENT


@pytest.mark.parametrize(
    "address",
    [
        "kennedy@example.com",
        "Kennedy@Example.COM",
        "K.MWEENE@EXAMPLE.COM",
        " x@example.com ",
        "a b@example.com",
        "@example.com",
    ],
)
def test_an_address_at_example_com_belongs_to_a_demo_user_in_any_letters(address: str) -> None:
    assert judge_email(address) is Usable.DEMO


@pytest.mark.parametrize(
    "address",
    [
        "amina",
        "amina@",
        "@registry.test",
        "amina@@registry.test",
        "amina@registry..test",
        "amina@registry.test.",
        "amina @registry.test",
        "amina@registry.test, joseph@registry.test",
        "Amina <amina@registry.test>",
        "Amina <amina@example.com>",
        "amina@registry.test\nBcc: joseph@registry.test",
        "amina@registry.test\0",
        "amina@\ud800.test",
        "\ud800@registry.test",
        f"amina@{'a' * 300}.test",
        "<script>@registry.test",
    ],
    ids=lambda address: ascii(address)[:40],
)
def test_what_is_no_address_is_told_from_one(address: str) -> None:
    assert judge_email(address) is Usable.INVALID


@given(any_text)
@moderately
def test_any_text_can_be_judged(text: str) -> None:
    assert judge_email(text) in Usable
    assert judge_mobile(text) in (Usable.YES, Usable.ABSENT)


@pytest.mark.parametrize("number", ["0977111222", "+260 977 111 222", "12", "not a number"])
def test_whether_it_is_a_number_is_for_the_provider_to_say(number: str) -> None:
    assert judge_mobile(number) is Usable.YES


@pytest.mark.parametrize(
    ("channel", "recipient", "found"),
    [
        ("email", {"email": " amina@sink.test "}, ("amina@sink.test", Usable.YES)),
        ("email", {"mobile": "0977111222"}, ("", Usable.ABSENT)),
        ("email", {"email": "x@EXAMPLE.com"}, ("x@EXAMPLE.com", Usable.DEMO)),
        ("email", {"email": "x"}, ("x", Usable.INVALID)),
        ("sms", {"mobile": " 0977111222 ", "email": "amina@sink.test"}, ("0977111222", Usable.YES)),
        ("sms", {"mobile": " "}, ("", Usable.ABSENT)),
        ("sms", {}, ("", Usable.ABSENT)),
    ],
)
def test_a_channel_has_its_own_address(channel: str, recipient: dict[str, Any], found: tuple[str, Usable]) -> None:
    assert address_for(channel, recipient) == found


def test_a_list_is_sorted_by_use_in_its_order_and_each_address_once() -> None:
    found = sort_emails(
        ["b@x.test", " a@x.test", "B@X.TEST", "", " ", "d@example.com", "D@EXAMPLE.COM", "nobody", "nobody", "c@x.test"]
    )
    assert found.usable == ("b@x.test", "a@x.test", "c@x.test")
    assert found.demo == ("d@example.com",)
    assert found.invalid == ("nobody",)


def test_different_addresses_are_not_taken_for_one() -> None:
    assert sort_emails(["a@strasse.test", "a@straße.test"]).usable == ("a@strasse.test", "a@straße.test")


@given(st.lists(st.emails() | any_text, max_size=10))
@moderately
def test_no_address_is_lost_or_doubled(addresses: list[str]) -> None:
    found = sort_emails(addresses)
    everything = [*found.usable, *found.demo, *found.invalid]
    assert len(everything) == len(set(everything))
    assert {address.lower() for address in everything} == {address.strip().lower() for address in addresses} - {""}


@pytest.mark.parametrize(
    ("addresses", "shown"),
    [
        ([], "nobody"),
        (["amina@sink.test"], "ami***@***.test"),
        (["amina@sink.test", "b@sink.test"], "ami***@***.test and 1 more"),
        (["amina@sink.test"] * 100, "ami***@***.test and 99 more"),
    ],
)
def test_a_list_of_addresses_is_shown_by_its_first(addresses: list[str], shown: str) -> None:
    assert masked_list(addresses) == shown
