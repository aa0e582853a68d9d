"""An e-mail, and the octets that carry it: RFC 5322 and MIME.

They are written out here because the standard library takes six times as long, and its charsets are altered by the
import of Flask-Mail. All of an e-mail may come from outside, broken or hostile: nothing raises.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import NamedTuple

from app.cleaning import clean
from app.notifications.logo import Image

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NOT_IN_AN_ADDRESS = re.compile(r'[\s<>()\[\]\\,;:"]+')
_NOT_IN_AN_ID = re.compile(r"[^!-~]+")
_NON_ASCII = bytes(range(128, 256))
_FOLD = re.compile(r"(\S.{0,60}\S) (?=\S)")

_SUBJECT_LINE = 76 - len("Subject: ")  # RFC 2047 section 2
_ENCODED_WORD = 39  # octets: 64 when encoded, and a header's name still fits the line
_LONGEST_ADDRESS = 320  # RFC 5321 section 4.5.3.1; what is longer is refused in the envelope
_LONGEST_ID = 900  # below the 998 octets of RFC 5322 section 2.1.1


@dataclass(frozen=True)
class Email:
    """One message. Addresses are `local@domain` or `Name <local@domain>`; `bcc` is in no header.

    `message_id` is whole, with its angle brackets, and the same at every try. `sent_at` is seconds since the
    epoch, None for now. What names people stays out of the repr, and so out of logs.
    """

    sender: str
    to: tuple[str, ...] = field(repr=False)
    bcc: tuple[str, ...] = field(repr=False)
    subject: str = field(repr=False)
    html: str = field(repr=False)
    text: str = field(repr=False)
    message_id: str
    sent_at: float | None = None
    images: tuple[Image, ...] = ()
    reply_to: str | None = None


class Mailbox(NamedTuple):
    """`address` has its domain in ASCII (IDNA) where that can be done; it may be no address at all."""

    name: str
    address: str


def serialise(email: Email) -> bytes:
    """The message as it goes after DATA: ASCII, CRLF, lines of 78 octets and less but for long addresses.

    multipart/alternative, the plain text first; pictures are related to the HTML. Lone surrogates become U+FFFD,
    control characters in headers a space, and an address loses what cannot stand in one.
    """
    # `=_` is in no quoted-printable and in no base64 (RFC 2045 section 6.7): no body holds the boundary.
    boundary = "=_" + hashlib.sha256(email.message_id.encode(errors="replace")).hexdigest()[:32]
    reply_to = [f"Reply-To: {_mailboxes([email.reply_to])}"] if email.reply_to else []
    headers = (
        f"From: {_mailboxes([email.sender])}",
        f"To: {_mailboxes(email.to)}",
        *reply_to,
        f"Subject: {_unstructured(one_line(email.subject))}",
        f"Date: {formatdate(email.sent_at)}",
        f"Message-ID: {_NOT_IN_AN_ID.sub('', email.message_id)[:_LONGEST_ID]}",
        "MIME-Version: 1.0",
        "Auto-Submitted: auto-generated",  # RFC 3834: no out-of-office note comes back
        "X-Auto-Response-Suppress: All",  # the same, for Exchange
        f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"',
    )
    delimiter = f"\r\n--{boundary}".encode("ascii")
    pieces = (
        *("\r\n".join(headers).encode("ascii"), b"\r\n"),
        *(delimiter, b"\r\n", _part("plain", email.text)),
        *(delimiter, b"\r\n", _with_images(_part("html", email.html), email.images, boundary)),
        *(delimiter, b"--\r\n"),
    )
    return b"".join(pieces)


def mailbox(text: str) -> Mailbox:
    """`Name <local@domain>` or `local@domain`, taken apart; never raises."""
    before, bracket, after = one_line(text).rpartition("<")
    if not bracket:
        return Mailbox("", _ascii_domain(after))
    name = before.strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return Mailbox(name, _ascii_domain(after.removesuffix(">").strip()))


def one_line(text: str) -> str:
    """Text that can stand in a header: no line ends, no control characters, no lone surrogates."""
    return _CONTROLS.sub(" ", clean(text)).strip()


def _ascii_domain(address: str) -> str:
    local, at, domain = address.rpartition("@")
    if not at or domain.isascii():
        return address
    import idna  # its tables are large, such domains are few

    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
    except idna.IDNAError:
        return address


def _mailboxes(texts: Iterable[str]) -> str:
    shown = [_shown(mailbox(text)) for text in texts]
    return ",\r\n ".join(filter(None, shown)) or "undisclosed-recipients:;"


def _shown(box: Mailbox) -> str:
    address = _NOT_IN_AN_ADDRESS.sub("", box.address)[:_LONGEST_ADDRESS]
    if not address.isascii():
        # No ASCII header can say it: an empty group named by it stands in (RFC 6857).
        return f"{_encoded(address)} :;"
    if not box.name:
        return address
    phrase = _phrase(box.name)
    space = " " if len(phrase) + len(address) < _SUBJECT_LINE - len(" <>,") else "\r\n "
    return f"{phrase}{space}<{address}>"


def _phrase(name: str) -> str:
    if name.isascii() and "=?" not in name and len(name) <= _ENCODED_WORD:
        return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    return _encoded(name)


def _unstructured(text: str) -> str:
    """ASCII stays readable, folded at spaces. All else is encoded, and so is what looks encoded already."""
    if text.isascii() and "=?" not in text:
        folded = text if len(text) <= _SUBJECT_LINE else _FOLD.sub("\\1\r\n ", text)
        if max(map(len, folded.split("\r\n"))) <= _SUBJECT_LINE:
            return folded
    return _encoded(text)


def _encoded(text: str) -> str:
    """Encoded words of RFC 2047, one a line; a character is never cut in two."""
    words, word = [], b""
    for character in text:
        octets = character.encode()
        if len(word) + len(octets) > _ENCODED_WORD:
            words.append(word)
            word = b""
        word += octets
    encoded = (binascii.b2a_base64(word, newline=False).decode("ascii") for word in (*words, word))
    return "\r\n ".join(f"=?utf-8?B?{word}?=" for word in encoded)


def _with_images(html: bytes, images: Sequence[Image], around: str) -> bytes:
    """The HTML part, or a multipart/related of it and its pictures (RFC 2387)."""
    if not images:
        return html
    # It does not begin with the outer one: the beginning of a line is all that RFC 2046 has a reader compare.
    boundary = f"=_related{around}"
    delimiter = f"\r\n--{boundary}".encode("ascii")
    head = f'Content-Type: multipart/related; type="text/html";\r\n boundary="{boundary}"\r\n'
    parts = [delimiter + b"\r\n" + part for part in (html, *map(_image, images))]
    return head.encode("ascii") + b"".join(parts) + delimiter + b"--\r\n"


def _image(image: Image) -> bytes:
    head = (
        f"Content-Type: image/{image.subtype}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-ID: <{image.content_id}>\r\nContent-Disposition: inline\r\n\r\n"
    )
    return head.encode("ascii") + base64.encodebytes(image.content).replace(b"\n", b"\r\n")


def _part(subtype: str, text: str) -> bytes:
    octets = clean(text).replace("\r\n", "\n").replace("\r", "\n").encode()
    non_ascii = len(octets) - len(octets.translate(None, _NON_ASCII))
    if non_ascii * 5 > len(octets):  # there base64 is shorter: Arabic, Bangla, Khmer
        encoding, body = "base64", base64.encodebytes(octets.replace(b"\n", b"\r\n"))
    else:
        encoding, body = "quoted-printable", binascii.b2a_qp(octets)
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    return head.encode("ascii") + body.replace(b"\n", b"\r\n")
