"""What a log line or a stored excerpt may show of an address or a number."""

from __future__ import annotations

import re

_WORD = r"[^\s<>\"(),:;@\[\]\\]"
# From the start of a word, for speed. Several @ in a row are one address: whichever part is the real one, it is hidden.
_EMAIL = re.compile(rf"(?<!{_WORD}){_WORD}+(?:@{_WORD}+)+")
# What only begins like a token matches too, so that the search goes on behind it and takes linear time.
_TOKEN = re.compile(r"\beyJ[\w-]++(\.[\w-]*+(?:\.[\w-]*+)?)?")
# In the query of a link, also where the link stands percent-encoded in another one.
_TOKEN_IN_LINK = re.compile(r"(token(?:=|%(?:25)*3D))[^\s&<>\"']+", re.IGNORECASE)
# With a + any number of E.164's lengths and more; without it what stands alone, so that ids stay readable.
_NUMBER = re.compile(r"\+\d(?:[ ().-]?\d){6,}|(?<![\w.-])\d(?:[ ().-]?\d){8,14}(?![\w-])")


def mask_email(address: str) -> str:
    """`amina@sink.test` → `ami***@***.test`: enough to recognise, too little to use."""
    local, _, domain = address.rpartition("@")
    if not local:
        return "***"
    shown = local[: min(3, len(local) // 2 + 1)] if len(local) > 1 else ""
    suffix = domain.rpartition(".")[2] if "." in domain else ""
    return _printable(f"{shown}***@***" + (f".{suffix}" if suffix else ""))


def mask_number(number: str) -> str:
    """`+260977111222` → `+260***22`."""
    kept = re.sub(r"[^\d+]", "", number)
    return f"{kept[:4]}***{kept[-2:]}" if len(kept) >= 9 else "***"


def _printable(text: str) -> str:
    """U+FFFD for what no text column holds or a terminal would obey: halves of surrogate pairs, U+0000, controls."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def mask_tokens(text: str) -> str:
    """Text in which every bearer token, and every token in a link, is masked."""
    return _TOKEN_IN_LINK.sub(r"\1***", _TOKEN.sub(lambda found: "***" if found[1] else found[0], text))


def mask(text: str) -> str:
    """Text in which every address, telephone number and token is masked."""
    text = mask_tokens(text)
    text = _EMAIL.sub(lambda match: mask_email(match.group()), text)
    return _NUMBER.sub(lambda match: mask_number(match.group()), text)
