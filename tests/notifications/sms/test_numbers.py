"""Numbers as people write them."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.notifications.sms.numbers import NotANumber, e164

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
regions = st.none() | st.sampled_from(REGIONS)
digits = st.text(st.sampled_from("0123456789"), min_size=4, max_size=17)
numbers = st.builds("{}{}".format, st.sampled_from(["", "+", "00"]), digits)
any_text = st.text(
    st.characters() | st.sampled_from("+0123456789 -()./") | st.characters(categories=["Cs", "Cf", "Nd"])
)


@pytest.mark.parametrize(
    "written",
    [
        "0977111222",
        "0977 111 222",
        "0977-111-222",
        "0977.111.222",
        "(0977) 111/222",
        "977111222",
        "260977111222",
        "+260977111222",
        "+260 (0) 977 111 222",
        "00260977111222",
        " 0977111222\n",
        "\u202a+260\u00a0977\u2011111\u2011222\u202c",
        "٠٩٧٧١١١٢٢٢",
        "\uff0b\uff12\uff16\uff10\uff19\uff17\uff17\uff11\uff11\uff11\uff12\uff12\uff12",
    ],
    ids=ascii,
)
def test_one_number_in_many_forms(written: str) -> None:
    assert e164(written, "ZM") == "+260977111222"


@pytest.mark.parametrize(
    ("written", "region", "problem"),
    [
        ("", "ZM", "there are no digits"),
        ("none", "ZM", "there are no digits"),
        ("+", "ZM", "there are no digits"),
        ("112", "ZM", "too few digits for +260"),
        ("097711122", "ZM", "behind its leading 0 it has too few digits for +260"),
        ("09771112223", "ZM", "too many digits"),
        ("1" * 35, "ZM", "too many digits"),
        ("1" * 5_000, "ZM", "more than the digits of one number"),
        ("0977111222 0966333444", "ZM", "too many digits"),
        ("0977111222, 0966333444", "ZM", "more than the digits of one number"),
        ("Amina 0977111222", "ZM", "more than the digits of one number"),
        ("tel:+260977111222", "ZM", "more than the digits of one number"),
        ("0977111222;ext=5", "ZM", "more than the digits of one number"),
        ("1-800-FLOWERS", "US", "more than the digits of one number"),
        ("+999123456789", "ZM", "no country has this country code"),
        ("+0977111222", "ZM", "no country has this country code"),
        ("253 0000", "US", "too few digits for +1"),
        ("0977111222", None, "PHONE_REGION"),
        ("260977111222", None, "PHONE_REGION"),
        ("+860121252509268", None, "two ways"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_what_cannot_be_a_number_is_said_clearly(written: str, region: str | None, problem: str) -> None:
    with pytest.raises(NotANumber, match=problem.replace("+", r"\+")) as refused:
        e164(written, region)
    assert "Mend it where it was entered" in str(refused.value)


def test_a_number_with_a_country_code_needs_no_region() -> None:
    assert e164("+260 977 111 222", None) == e164("+260 977 111 222", "FR") == "+260977111222"


def test_a_prefix_that_is_newer_than_the_library_is_a_number_all_the_same() -> None:
    assert not phonenumbers.is_valid_number(phonenumbers.parse("+260997111222"))
    assert e164("0997 111 222", "ZM") == "+260997111222"


def test_a_zero_that_belongs_to_the_number_stays() -> None:
    assert e164("06 698 12345", "IT") == "+390669812345"


def test_what_is_refused_is_shown_masked() -> None:
    with pytest.raises(NotANumber) as refused:
        e164("09771112223", "ZM")
    assert "7111222" not in str(refused.value)
    assert "0977***23" in str(refused.value)


@pytest.mark.parametrize("region", REGIONS)
def test_every_country_writes_its_own_numbers(region: str) -> None:
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if example is None:
        example = phonenumbers.example_number(region)
    assert example is not None
    wanted = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    for form in (phonenumbers.PhoneNumberFormat.NATIONAL, phonenumbers.PhoneNumberFormat.INTERNATIONAL):
        assert e164(phonenumbers.format_number(example, form), region) == wanted


@given(any_text, regions)
@settings(deadline=None)
def test_any_text_is_a_number_or_refused(text: str, region: str | None) -> None:
    try:
        found = e164(text, region)
    except NotANumber as refused:
        found = str(refused)
        is_fine = found.isprintable() and found.startswith("no telephone number")
    else:
        is_fine = re.fullmatch(r"\+[0-9]{4,15}", found) is not None
    assert is_fine, ascii(found)


@given(numbers, regions, regions)
@settings(deadline=None, max_examples=500)
def test_what_was_normalised_stays_what_it_is_anywhere(number: str, region: str | None, elsewhere: str | None) -> None:
    try:
        found = e164(number, region)
    except NotANumber:
        return
    assert e164(found, elsewhere) == found


@pytest.mark.parametrize(
    ("written", "region"),
    [("4915123456789", "DE"), ("004915123456789", "DE"), ("0085512345678", "KH"), ("46701234567", "SE")],
)
def test_a_number_is_its_own_with_its_country_code_or_nobody_s(written: str, region: str) -> None:
    digits = written.removeprefix("00")
    try:
        assert e164(written, region) == f"+{digits}"
    except NotANumber as error:
        assert "write it with +" in str(error)  # noqa: PT017  either will do
    assert e164(f"+{digits}", region) == f"+{digits}"
