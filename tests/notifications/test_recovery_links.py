"""The links with which users recover an account: whole, encoded, and as cheap as an SMS can be."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.notifications.catalogue import USER_MESSAGES, Expiry
from app.notifications.sms.segments import segments
from app.notifications.sms.sender import sms_sender
from app.notifications.variables import MessageVariables, recovery_url
from app.outbox.delivery import Delivery, Failed, Outcome, Sent, Trigger
from app.outbox.states import Priority
from tests.notifications.rendering import RENDERER, WORDING, Page, rendered, variables

TOKEN = "q3+Zp/8nRw1xT5uYbK2mJg=="  # made as core makes them: 16 bytes in base64
ENCODED = "q3%2BZp%2F8nRw1xT5uYbK2mJg%3D%3D"
LOGIN = "https://login.registry.gov.test"
EACH_LINK = pytest.mark.parametrize("message", ["password-reset-link", "username-reminder-link"])
EACH_LANGUAGE = pytest.mark.parametrize("language", WORDING.languages)


class TestAddress:
    @pytest.mark.parametrize(
        ("login_url", "page"),
        [
            ("https://login.registry.test", "https://login.registry.test/recover"),
            ("https://login.registry.test/", "https://login.registry.test/recover"),
            ("https://registry.test/login//", "https://registry.test/login/recover"),
            ("http://localhost:3020", "http://localhost:3020/recover"),
            ("https://[::1]:3020/", "https://[::1]:3020/recover"),
            ("https://login.registry.test/?lang=fr#top", "https://login.registry.test/recover"),
        ],
    )
    def test_is_a_page_of_the_login_application(self, login_url: str, page: str) -> None:
        assert recovery_url(login_url, TOKEN) == f"{page}?token={ENCODED}"

    @given(st.text(st.characters(exclude_categories=["Cs"])))
    def test_gives_back_any_token(self, token: str) -> None:
        link = recovery_url(LOGIN, token)
        assert link.isascii()
        assert link.split() == [link]
        assert parse_qs(urlsplit(link).query, keep_blank_values=True) == {"token": [token]}

    @EACH_LINK
    def test_is_made_of_a_token_that_utf8_cannot_say(self, message: str) -> None:
        assert variables(message, token="a\ud800\0b")["recoveryURL"].endswith("/recover?token=a%EF%BF%BDb")

    def test_is_only_in_messages_with_a_link(self) -> None:
        assert "recoveryURL" not in variables("2fa")


@EACH_LINK
class TestEmail:
    @EACH_LANGUAGE
    def test_has_a_button_and_below_it_the_address_to_read(self, message: str, language: str) -> None:
        page = Page(rendered(message, language, token=TOKEN).html)
        link = variables(message, token=TOKEN)["recoveryURL"]
        assert [(attrs["href"], attrs.get("dir")) for tag, attrs in page.tags if tag == "a"] == [
            (link, None),
            (link, "ltr"),
        ]
        assert page.texts["a"] == [WORDING.text(f"{message}.button", language), link]

    @EACH_LANGUAGE
    def test_says_for_how_long_it_works(self, message: str, language: str) -> None:
        settings = MessageVariables(LOGIN, {Expiry.CODE: 600, Expiry.LINK: 2_700})
        values = settings.of_payload(message, {"recipient": {}, "token": TOKEN})
        text = RENDERER.email(message, values, language).text
        assert re.search(r"\b45\b", text)
        assert f"{LOGIN}/recover?token={ENCODED}\n" in text


@EACH_LINK
class TestSms:
    @pytest.mark.parametrize(
        ("language", "encoding", "count"),
        [
            ("en", "GSM-7", 1),
            ("fr", "GSM-7", 1),
            ("pt", "GSM-7", 1),
            ("es", "GSM-7", 1),
            ("sw", "GSM-7", 1),
            ("ar", "UCS-2", 2),
        ],
    )
    @pytest.mark.parametrize("token", [TOKEN, "+/+/ab" + TOKEN[6:]], ids=["usual", "with more to encode than most"])
    def test_costs(self, message: str, token: str, language: str, encoding: str, count: int) -> None:
        values = MessageVariables(LOGIN, {Expiry.CODE: 600, Expiry.LINK: 3_600})
        text = RENDERER.sms(
            USER_MESSAGES[message].sms_id or "",
            values.of_payload(message, {"recipient": {}, "token": token}),
            language,
        )
        counted = segments(text)
        assert (counted.encoding, counted.count) == (encoding, count)

    def test_never_cuts_the_link(self, message: str) -> None:
        login = f"https://login.{'civil-registration.' * 8}test"
        outcome, text = sent(message, login, TOKEN)
        assert outcome == Sent()
        assert text.endswith(f" {login}/recover?token={ENCODED}")

    def test_refuses_a_token_that_nobody_would_pay_for(self, message: str) -> None:
        outcome, text = sent(message, LOGIN, "x" * 5_000)
        assert outcome == Failed("the link is too long for an SMS: it must not exceed 1000 characters")
        assert text == ""


def sent(message: str, login_url: str, token: str) -> tuple[Outcome, str]:
    """What became of it, and the text that the provider was given."""
    taken = [""]

    def provider(_number: str, text: str, _delivery_id: str, _life: float | None = None, /) -> Outcome:
        taken.append(text)
        return Sent()

    variables = MessageVariables(login_url, {Expiry.CODE: 600, Expiry.LINK: 3_600})
    trigger = Trigger("trigger-1", f"user/{message}", 0.0, "request-1", None, {"recipient": {}, "token": token})
    delivery = Delivery(
        id="delivery-1",
        key="sms",
        channel="sms",
        destination="sms:any",
        message=message,
        priority=Priority.OTP,
        attempt=1,
        payload={"to": ["0977111222"], "languages": ["en"]},
        trigger=trigger,
    )
    living = replace(delivery, deadline=time.monotonic() + 3_600)
    return sms_sender(RENDERER, provider, USER_MESSAGES, variables, "ZM")(living), taken[-1]
