"""Telephone numbers, as people write them, in the one form that every provider takes: E.164, `+260977111222`."""

from __future__ import annotations

import unicodedata

from phonenumbers import (
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    ValidationResult,
    country_code_for_region,
    format_number,
    is_possible_number_with_reason,
    is_valid_number,
    national_significant_number,
    ndd_prefix_for_region,
    parse,
    region_code_for_country_code,
)

from app.masking import mask_number

_LONGEST = 40  # characters; the longest number has 15 digits
_SEPARATORS = frozenset(" +-()[]./~")


class NotANumber(Exception):
    """Nobody can be called at this. The text says why and what to mend, and shows the number masked."""

    def __init__(self, number: str, problem: str) -> None:
        super().__init__(f"no telephone number ({mask_number(number)}): {problem}. Mend it where it was entered")


def e164(number: str, region: str | None) -> str:
    """`0977 111 222` in the region ZM is `+260977111222`; where `region` is None the country code has to be there.

    A number is good when its length is one that its country uses: which prefixes are in use changes faster than the
    library's tables, and the provider knows better. Raises NotANumber.
    """
    parsed = _parsed(number, region)
    match is_possible_number_with_reason(parsed):
        case ValidationResult.IS_POSSIBLE:
            pass
        case ValidationResult.TOO_LONG:
            raise NotANumber(number, f"it has too many digits for +{parsed.country_code}")
        case _:
            raise NotANumber(number, f"it has too few digits for +{parsed.country_code}")
    if prefix := _kept_prefix(parsed):
        raise NotANumber(number, f"behind its leading {prefix} it has too few digits for +{parsed.country_code}")
    written = format_number(parsed, PhoneNumberFormat.E164)
    if region is not None and _is_abroad_too(_cleaned(number), written, region):
        raise NotANumber(number, "it can be read in two ways, with the country code and without: write it with +")
    if parse(written) != parsed:  # some prefixes that are dialled within a country are digits of its numbers too
        raise NotANumber(number, "it can be read in two ways")
    return written


def _parsed(number: str, region: str | None) -> PhoneNumber:
    written = _cleaned(number)
    if not any(character.isdecimal() for character in written):
        raise NotANumber(number, "there are no digits")
    if len(written) > _LONGEST or not all(character.isdecimal() or character in _SEPARATORS for character in written):
        raise NotANumber(number, "it holds more than the digits of one number")
    try:
        return parse(written, region)
    except NumberParseException as error:
        raise NotANumber(number, _problem(error, written, region)) from None


def _cleaned(number: str) -> str:
    """Without the invisible marks that come with a number copied from a chat, and with plain spaces and dashes."""
    visible = (one for one in number if unicodedata.category(one) != "Cf")
    return "".join(
        " " if one.isspace() else "-" if unicodedata.category(one) == "Pd" else one
        for one in unicodedata.normalize("NFKC", "".join(visible))
    ).strip()


def _problem(error: NumberParseException, written: str, region: str | None) -> str:
    if error.error_type == NumberParseException.TOO_LONG:
        return "it has too many digits"
    if error.error_type != NumberParseException.INVALID_COUNTRY_CODE:
        return "it has too few digits"
    if written.startswith("+") or region in SUPPORTED_REGIONS:
        return "no country has this country code"
    return "it has no country code, such as +260, and PHONE_REGION does not say which country is meant"


def _is_abroad_too(cleaned: str, written: str, region: str) -> bool:
    """Whether it begins with the region's own country code, and would be another good number if that were meant."""
    digits = "".join(str(int(one)) for one in cleaned if one.isdecimal()).removeprefix("00")
    if cleaned.startswith("+") or not digits.startswith(str(country_code_for_region(region) or "+")):
        return False
    try:
        return f"+{digits}" != written and is_valid_number(parse(f"+{digits}"))
    except NumberParseException:
        return False


def _kept_prefix(parsed: PhoneNumber) -> str | None:
    """The 0 that is dialled within a country, where it was taken for a part of the number as a digit is missing."""
    region = region_code_for_country_code(parsed.country_code or 0)
    prefix = ndd_prefix_for_region(region, strip_non_digits=True)
    if not prefix or is_valid_number(parsed):
        return None
    return prefix if national_significant_number(parsed).startswith(prefix) else None
