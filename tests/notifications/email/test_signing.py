"""Mails are signed so that the receiving side can check them with the key in the domain's DNS."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from app.notifications.email.mime import Email, serialise
from app.notifications.email.signing import signer
from app.notifications.email.smtp import SmtpTransport
from app.settings import InvalidSettings, Settings
from tests.notifications.email.smtp_server import MailServer

KEY = rsa.generate_private_key(65537, 2048)
NAMED = (
    "From",
    "To",
    "Cc",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Auto-Submitted",
)
EMAIL = Email(
    sender="Civil Registry <no-reply@registry.test>",
    to=("amina@sink.test",),
    bcc=(),
    subject="Votre code de connexion",
    html="<p>نص 123\n.\n</p>  \n\n",
    text="نص 123\n.\n\n",
    message_id="<1@registry.test>",
    sent_at=1_000_000_000,
)

MakeSettings = Callable[..., Settings]


@pytest.fixture
def signed(make_settings: MakeSettings, tmp_path: Path) -> Settings:
    """Settings of a server that signs."""
    (tmp_path / "dkim.pem").write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return make_settings(**dkim_settings(tmp_path / "dkim.pem"))


def dkim_settings(path: Path) -> dict[str, str]:
    return {"DKIM_DOMAIN": "registry.test", "DKIM_SELECTOR": "2026", "DKIM_PRIVATE_KEY_FILE": str(path)}


def in_dns(name: bytes, timeout: int = 5) -> bytes:
    """The text record of the domain."""
    assert name == b"2026._domainkey.registry.test."
    public = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def is_genuine(octets: bytes) -> bool:
    return bool(dkim.verify(octets, dnsfunc=in_dns))


def test_a_signed_mail_is_genuine_and_a_changed_one_is_not(signed: Settings) -> None:
    assert signed.dkim is not None
    octets = signer(signed.dkim)(serialise(EMAIL))
    assert is_genuine(octets)
    for before, after in [
        (b"Votre code", b"Votre cade"),
        (b"To: amina", b"To: b"),
        *((b"\r\nDate:", f"\r\n{name}: x@y.test\r\nDate:".encode()) for name in NAMED),
    ]:
        assert before in octets
        assert not is_genuine(octets.replace(before, after))


def test_what_arrives_is_genuine(signed: Settings, mail_server: MailServer) -> None:
    assert signed.dkim is not None
    transport = SmtpTransport(mail_server.settings(), "registry.test", sign=signer(signed.dkim))
    transport.send(EMAIL)
    transport.close()
    (received,) = mail_server.received
    assert is_genuine(received.content)


@pytest.mark.parametrize("name", ["DKIM_DOMAIN", "DKIM_SELECTOR", "DKIM_PRIVATE_KEY_FILE"])
def test_all_three_are_set_or_none(make_settings: MakeSettings, signed: Settings, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidSettings, match=f"{name}: missing"):
        make_settings(**dkim_settings(tmp_path / "dkim.pem") | {name: ""})


@pytest.mark.parametrize("name", ["DKIM_DOMAIN", "DKIM_SELECTOR"])
@pytest.mark.parametrize(
    "value",
    ["a..b", ".a.test", "a.test.", "x" * 70 + ".test", "a b.test", "a@b.test", "-a.test", "a-.test", "a\nb.test"],
)
def test_a_name_that_the_dns_cannot_hold_is_refused(
    make_settings: MakeSettings, signed: Settings, tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(InvalidSettings, match=f"{name}: no") as raised:
        make_settings(**dkim_settings(tmp_path / "dkim.pem") | {name: value})
    assert len(raised.value.problems) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DKIM_SELECTOR", "é"),
        ("DKIM_SELECTOR", "clé.2026"),
        ("DKIM_DOMAIN", "registry"),
        ("DKIM_DOMAIN", "a_b.test"),
        ("DKIM_DOMAIN", "\u0300.test"),
        ("DKIM_DOMAIN", ".".join(["x" * 60] * 5)),
    ],
)
def test_the_key_has_a_name_in_ascii_below_a_whole_domain(
    make_settings: MakeSettings, signed: Settings, tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(InvalidSettings, match=f"{name}: no"):
        make_settings(**dkim_settings(tmp_path / "dkim.pem") | {name: value})


@pytest.mark.parametrize("selector", ["2026", "mail.2026", "key_1", "S-1"])
def test_a_selector_may_have_parts(
    make_settings: MakeSettings, signed: Settings, tmp_path: Path, selector: str
) -> None:
    settings = make_settings(**dkim_settings(tmp_path / "dkim.pem") | {"DKIM_SELECTOR": selector})
    assert settings.dkim is not None
    assert f"s={selector};".encode() in signer(settings.dkim)(serialise(EMAIL)).replace(b"\r\n", b"").replace(b" ", b"")


ALIGNED = [
    ("no-reply@registry.test", "registry.test"),
    ("Civil Registry <no-reply@mail.Registry.test>", "registry.TEST"),
    ("no-reply@état.test", "état.test"),
    ("no-reply@mail.état.test", "xn--tat-9la.test"),
]


@pytest.mark.parametrize(("sender", "domain"), ALIGNED)
def test_a_mail_is_signed_for_the_domain_of_its_sender_or_a_parent(
    make_settings: MakeSettings, signed: Settings, tmp_path: Path, sender: str, domain: str
) -> None:
    own = {"SENDER_EMAIL_ADDRESS": sender, "DKIM_DOMAIN": domain}
    settings = make_settings(**dkim_settings(tmp_path / "dkim.pem") | own)
    assert settings.dkim is not None
    assert settings.dkim.domain == domain.lower().encode("idna").decode()


@pytest.mark.parametrize(
    "sender", ["no-reply@other.test", "no-reply@notregistry.test", "no-reply@test.registry", "Registry.test <a@b.test>"]
)
def test_a_signature_for_another_domain_than_the_senders_is_a_problem_with_its_cure(
    make_settings: MakeSettings, signed: Settings, tmp_path: Path, sender: str
) -> None:
    with pytest.raises(InvalidSettings, match=r"DKIM_DOMAIN: registry\.test is neither .*DMARC") as raised:
        make_settings(**dkim_settings(tmp_path / "dkim.pem"), SENDER_EMAIL_ADDRESS=sender)
    assert len(raised.value.problems) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file"),
        (b"my key", "holds no private key"),
        (
            ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            "RSA",
        ),
    ],
    ids=["absent", "nonsense", "elliptic"],
)
def test_a_key_that_cannot_sign_stops_the_start(
    make_settings: MakeSettings, tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "other.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidSettings, match=said):
        make_settings(**dkim_settings(path))
