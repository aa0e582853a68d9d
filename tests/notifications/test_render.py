"""Messages as they go out: every one of them in every language."""

from __future__ import annotations

import re

import pytest

from app.notifications.catalogue import FAMILIES, INFORMANT_MESSAGES, OTHER, USER_MESSAGES, News
from app.notifications.sms.segments import segments
from app.triggers.samples import USER_SAMPLES
from tests.notifications.rendering import LOGIN, RENDERER, TEMPLATES, WORDING, Page, rendered, renderer, variables

EACH_MESSAGE = pytest.mark.parametrize("message", USER_MESSAGES)
EACH_LANGUAGE = pytest.mark.parametrize("language", WORDING.languages)
EACH_SMS = pytest.mark.parametrize(
    ("text_id", "message"),
    [(message.sms_id, message.name) for message in USER_MESSAGES.values() if message.sms_id]
    + [("resetUserPasswordNotification", "reset-password")],
)


class TestEveryMessage:
    @EACH_LANGUAGE
    @EACH_MESSAGE
    def test_is_a_whole_accessible_page_that_needs_nothing_from_outside(self, message: str, language: str) -> None:
        email = rendered(message, language)
        page = Page(email.html)
        assert page.tags[0] == ("html", {"lang": language, "dir": "rtl" if language == "ar" else "ltr"})
        assert page.texts["title"] == [email.subject]
        assert len(page.texts["h1"]) == 1
        assert page.texts["h1"][0].strip()
        assert all(attrs.get("role") == "presentation" for tag, attrs in page.tags if tag == "table")
        assert not {"img", "link", "script", "iframe", "form", "object"} & {tag for tag, _ in page.tags}
        assert "url(" not in email.html
        assert "@import" not in email.html
        assert set(page.attributes("href")) <= {LOGIN, variables(message).get("recoveryURL")}
        assert not re.search(r"\{[{%#]", email.html)

    @EACH_LANGUAGE
    @EACH_MESSAGE
    def test_says_what_it_has_to_in_both_parts(self, message: str, language: str) -> None:
        email = rendered(message, language)
        sample = USER_SAMPLES[message]
        seen = "".join(Page(email.html).texts["body"])
        for field in {"username", "temporaryPassword", "code", "oldUsername", "newUsername", "subject"} & set(sample):
            assert sample[field] in seen
            assert sample[field] in email.text
        for name in USER_MESSAGES[message].essential:
            assert variables(message)[name].strip() in seen or name == "body"
        assert "OpenCRVS" in email.text
        assert WORDING.text("layout.automated", language) in email.text

    @EACH_LANGUAGE
    @EACH_MESSAGE
    def test_reads_well_as_text(self, message: str, language: str) -> None:
        text = rendered(message, language).text
        assert "\n\n\n" not in text
        assert not re.search(r"[ \t]\n|[<>{}\[\]|*]", text)
        assert text.count(WORDING.text("layout.automated", language)) == 1
        assert text == text.strip() + "\n"

    @EACH_MESSAGE
    def test_greets_nobody_by_an_empty_name(self, message: str) -> None:
        email = rendered(message, recipient={})
        assert "Dear" not in email.text
        assert ("Hello,\n" in email.text) is (message != "all-user-notification")

    @EACH_MESSAGE
    def test_is_in_english_where_its_language_is_not_spoken(self, message: str) -> None:
        assert rendered(message, "xx") == rendered(message, "en")

    def test_differs_from_language_to_language(self) -> None:
        assert rendered("2fa", "fr").subject == "Votre code de connexion OpenCRVS"
        assert rendered("2fa", "fr").html != rendered("2fa", "en").html

    @EACH_LANGUAGE
    @EACH_SMS
    def test_as_sms_goes_as_one_part(self, text_id: str, message: str, language: str) -> None:
        text = RENDERER.sms(text_id, variables(message) | {"completeSetupUrl": "https://login.opencrvs.test"}, language)
        sample = USER_SAMPLES[message]
        counted = segments(text)
        assert (counted.encoding, counted.count) == ("GSM-7", 1) or (language == "ar" and counted.count <= 2)
        assert all(sample[field] in text for field in ("username", "code", "temporaryPassword") if field in sample)
        assert variables(message).get("recoveryURL", "") in text

    def test_there_is_a_template_for_each_and_none_beside_them(self) -> None:
        assert {path.stem for path in TEMPLATES.glob("*.html")} == {
            *USER_MESSAGES,
            "decision-open",
            "informant",
            "layout",
            "parts",
        }

    def test_every_text_is_used(self) -> None:
        layouts = "".join(path.read_text() for path in TEMPLATES.iterdir())
        made = {
            f"{message}.{part}"
            for message in [*USER_MESSAGES, "decision-open"]
            for part in ("subject", "title", "intro")
        }
        news = {f"{message}.{part}" for message in INFORMANT_MESSAGES for part in ("subject", "intro")}
        of_each = {f"informant.{news}.next" for news in News} | {f"{family}.unnamed" for family in (*FAMILIES, OTHER)}
        used = {*re.findall(r'"([\w-]+\.\w+)"', layouts), *made, *news, *of_each}
        assert {text_id for text_id in WORDING.texts if "." in text_id} <= used


def test_the_text_part_as_a_whole() -> None:
    assert rendered("user-created").text == (
        "OpenCRVS\n"
        "\n"
        "Welcome to OpenCRVS\n"
        "\n"
        "Dear Amina,\n"
        "\n"
        "An account on OpenCRVS has been created for you. To set it up, sign in with these details:\n"
        "\n"
        "Username\n"
        "    a.mwale\n"
        "\n"
        "Temporary password\n"
        "    Kafue-4827\n"
        "\n"
        "Set up your account\n"
        f"{LOGIN}\n"
        "\n"
        "When you first sign in, you will be asked to choose a password of your own. "
        "The temporary one then stops working.\n"
        "\n"
        "Please keep these details to yourself and delete this message once you have signed in.\n"
        "\n"
        "Kind regards,\n"
        "The OpenCRVS team\n"
        "\n"
        "This message was sent automatically. Please do not reply to it.\n"
        "You receive it because you have a user account on OpenCRVS.\n"
    )


def test_styles_are_in_the_elements_and_only_the_rules_for_phones_stay() -> None:
    html = rendered("2fa").html
    assert "font: 16px/25px -apple-system, BlinkMacSystemFont, 'Segoe UI'" in html
    style = "".join(Page(html).texts["style"])
    assert style.startswith("@media (max-width: 480px)")


@pytest.mark.parametrize(("replies", "text_id"), [(False, "layout.automated"), (True, "layout.replies")])
@pytest.mark.parametrize("language", WORDING.languages)
def test_it_says_whether_somebody_reads_a_reply(replies: bool, text_id: str, language: str) -> None:
    found = renderer(replies=replies).email("2fa", variables("2fa"), language)
    assert WORDING.text(text_id, language) in found.text
