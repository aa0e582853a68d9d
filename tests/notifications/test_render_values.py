"""Whatever may be in a variable, it arrives as it was written and does nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.notifications.render import one_line, paragraphs
from tests.notifications.rendering import RENDERER, Page, rendered, variables

Character = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")
Hostile = st.sampled_from(
    [
        "{{7*191}}",
        "{{ code }}",
        "{% include 'layout.html' %}",
        "{# #}",
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</title></style><b>",
        "&lt;b&gt; &copy &#x26; &amp;amp;",
        "${7*191} #{7*191} %(x)s {0} \\1",
        "]]> <!-- -->",
    ]
)
Value = st.text(Character, min_size=1).filter(str.strip) | Hostile


@given(value=Value)
def test_codes_and_passwords_arrive_as_written(value: str) -> None:
    email = rendered("user-created", username="a.mwale", temporaryPassword=value)
    assert Page(email.html).texts["code"] == ["a.mwale", value]
    assert f"\n    {value}\n" in email.text
    sms = RENDERER.sms("resendInviteNotification", variables("resend-invite", temporaryPassword=value), "en")
    assert f"Temporary password: {value} " in sms


@given(value=Value)
def test_names_arrive_as_written(value: str) -> None:
    name = {"firstname": value, "surname": "Mwale"}
    email = rendered("2fa", recipient={"name": name})
    shown = f"Dear {value.strip()},"
    assert shown in "".join(Page(email.html).texts["body"])
    assert " ".join(shown.split()) in " ".join(email.text.split())


@given(subject=Value | st.text(), body=Value)
def test_announcements_arrive_as_written(subject: str, body: str) -> None:
    email = rendered("all-user-notification", subject=subject, body=body)
    page = Page(email.html)
    assert body in page.texts["body"][0]
    assert email.subject == one_line(variables("all-user-notification", subject=subject)["subject"])
    assert "\n" not in email.subject


def test_a_header_cannot_be_put_into_the_subject() -> None:
    email = rendered("all-user-notification", subject="Hello\r\nBcc: everybody@registry.test\x00\u2028x")
    assert email.subject == "Hello Bcc: everybody@registry.test x"


def test_an_announcement_keeps_its_lines() -> None:
    email = rendered("all-user-notification", body="One,\r\ntwo  <b>\n\n \n{{three}}\n")
    assert "One,<br>two  &lt;b&gt;</p>" in email.html
    assert "\n\nOne,\ntwo  <b>\n\n{{three}}\n\n" in email.text


@pytest.mark.parametrize("subject", ["", "  "])
def test_an_announcement_without_a_subject_has_a_heading_all_the_same(subject: str) -> None:
    assert Page(rendered("all-user-notification", subject=subject).html).texts["h1"] == ["A message to all users"]


def test_an_administrator_without_a_name() -> None:
    admin = {"id": "1", "name": {"firstname": "", "surname": ""}, "role": "ADMIN"}
    assert "An administrator has reset" in rendered("reset-password-by-admin", admin=admin).text
    assert "Joseph Banda has reset" in rendered("reset-password-by-admin").text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [[""]]),
        ("a", [["a"]]),
        ("a\nb", [["a", "b"]]),
        ("\n\na\n\n\n \t\nb\r\nc\rd\n", [["a"], ["b", "c", "d"]]),
    ],
)
def test_paragraphs(text: str, expected: list[list[str]]) -> None:
    assert paragraphs(text) == expected
