"""The pages that show every message, from a country's files as they are at that moment."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.composition.messages import check_messages, create_preview
from app.country import Country
from app.notifications.checks.messages import Rehearsed
from app.settings import Settings
from app.triggers.catalogue import trigger_types
from app.triggers.rehearsal import samples
from tests.console.countries import PNG, RULES, CountryFiles, settings_of
from tests.notifications.rendering import LOGIN, RENDERER, VARIABLES

SAMPLES = {sample.message.name: sample for sample in samples(trigger_types(Country()).values(), VARIABLES)}
OUTSIDE = {"REMOTE_ADDR": "8.8.8.8"}


def read(page: str) -> str:
    """What a reader sees of it, in one line."""
    without_tags = re.sub(r"<script\b.*?</script>|<[^>]*>", " ", page, flags=re.DOTALL)
    return one_line(unescape(without_tags))


def one_line(text: str) -> str:
    return " ".join(text.split())


def errors_of(pages: FlaskClient, path: str) -> str:
    """What a page says of errors, in one line."""
    answer = pages.get(path)
    assert answer.status_code == 200
    return read(" ".join(re.findall(r'<li class="error">.*?</li>', answer.text, flags=re.DOTALL)))


@pytest.fixture(scope="module")
def shipped() -> FlaskClient:
    """The messages of a server without a country's directory."""
    return create_preview(settings_of(None, LOGIN_URL=LOGIN)).test_client()


@pytest.fixture
def country(tmp_path: Path) -> CountryFiles:
    return CountryFiles(tmp_path / "country")


class TestEveryMessage:
    @pytest.mark.parametrize("language", RENDERER.languages)
    @pytest.mark.parametrize("name", SAMPLES)
    def test_is_shown_in_every_language(self, shipped: FlaskClient, name: str, language: str) -> None:
        sample = SAMPLES[name]
        email = RENDERER.email(name, sample.variables, language)
        answer = shipped.get(f"/messages/{name}?language={language}")
        assert answer.status_code == 200
        page = read(answer.text)
        assert one_line(email.subject) in page
        assert one_line(email.text)[:200] in page
        if sample.message.sms_id is not None:
            assert one_line(RENDERER.sms(sample.message.sms_id, sample.variables, language)) in page
        assert shipped.get(f"/messages/{name}/html?language={language}").status_code == 200

    @pytest.mark.parametrize("name", SAMPLES)
    def test_is_in_the_list(self, shipped: FlaskClient, name: str) -> None:
        page = shipped.get("/messages").text
        assert RENDERER.page(name, SAMPLES[name].variables, "en").subject in read(page)
        for language in RENDERER.languages:
            assert f'href="/messages/{name}?language={language}"' in page


class TestList:
    def test_messages_stand_under_whom_they_are_for(self, country: CountryFiles) -> None:
        country.write("rules.py", RULES)
        page = country.pages().get("/messages").text
        sections = dict(re.findall(r"<h2>([^<]*)</h2>\s*<table.*?>(.*?)</table>", page, flags=re.DOTALL))
        expected = {
            "Accounts of users": "2fa",
            "Informants of a birth": "birth-registered",
            "Informants of a death": "death-rejected",
            "Informants of a marriage": "marriage-in-review",
            "Informants of any other event": "other-registered",
            "Operators of this server": "decision-open",
            "Your own, from rules.py": "hospital-discharge",
        }
        assert list(sections) == list(expected)
        for heading, name in expected.items():
            assert f"<code>{name}</code>" in sections[heading]

    @pytest.mark.parametrize(
        ("show", "there", "not_there"),
        [
            ("birth", "birth-registered", "2fa"),
            ("accounts", "2fa", "birth-registered"),
            ("problems", "2fa", "all-user-notification"),
            ("no-such-group", "2fa", None),
        ],
    )
    def test_it_can_be_narrowed_down(self, country: CountryFiles, show: str, there: str, not_there: str | None) -> None:
        country.words("2fa.intro,,No message has {{coed}},")
        page = country.pages().get(f"/messages?show={show}").text
        assert f"<code>{there}</code>" in page
        assert not_there is None or f"<code>{not_there}</code>" not in page

    def test_a_language_that_lacks_texts_is_marked_with_how_many(self, country: CountryFiles) -> None:
        texts = {use: f'"{use}",,,,X' for use in ("layout.closing", "layout.greeting", "2fa.subject")}
        country.words(*texts.values(), languages="en,fr,xx")
        page = country.pages().get("/messages").text
        assert 'aria-label="2fa in fr: complete"' in page
        assert 'aria-label="2fa in xx: 10 texts in another language"' in page
        assert 'aria-label="all-user-notification in xx: 5 texts in another language"' in page

    def test_a_message_that_cannot_be_made_is_marked(self, country: CountryFiles) -> None:
        country.template("2fa.html", "{% if %}")
        page = country.pages().get("/messages").text
        assert 'aria-label="2fa in en: cannot be made"' in page
        assert 'aria-label="user-created in en: complete"' in page

    def test_it_says_where_the_files_are(self, shipped: FlaskClient, country: CountryFiles) -> None:
        assert str(country.directory) in country.pages().get("/messages").text
        assert "COUNTRY_DIR" in read(shipped.get("/messages").text)


class TestProblems:
    def test_those_are_shown_that_check_reports(self, country: CountryFiles) -> None:
        country.words(
            "2fa.subject,,{{code}} " + 20 * "and so on" + ",",
            "authenticationCodeNotification,,{{code}} … keep it {{applicationName}},",
            "2fa.titel,,Your code,",
            "common.code,,<b>Your code,",
        )
        country.template("user-created.html", "{{ no_such_thing }}")
        country.template("2fa.html", '{% extends "layout.html" %}{% block content %}no code{% endblock %}')
        settings = settings_of(country.directory)
        every = [Rehearsed(sample, {"email", "sms"}) for sample in SAMPLES.values()]
        problems = check_messages(settings, every)
        assert len(problems) > 5
        page = read(country.pages().get("/messages").text)
        for problem in problems:
            assert problem.what in page
            assert problem.cure[1:] in page

    def test_a_message_has_those_of_its_own_texts_and_template(self, country: CountryFiles) -> None:
        country.words("2fa.intro,,A code,", "2fa.ifNotYou,,Look at {{coed}},", "user-created.intro,,See {{usrname}},")
        page = country.pages().get("/messages/2fa").text
        own, _, elsewhere = page.partition("in other messages and files")
        assert "{{coed}}" in own
        assert "<code>translations/ours.csv</code>, row 3" in own
        assert "{{usrname}}" not in own
        assert "{{usrname}}" in elsewhere

    @pytest.mark.parametrize(
        ("content", "said"), [("<b>Hi", "<b>"), ('{{ t("birth.nothing") }}', "birth.nothing"), ("{% if %}", "line 1")]
    )
    def test_what_is_wrong_with_a_template_is_wrong_with_its_messages(
        self, country: CountryFiles, content: str, said: str
    ) -> None:
        country.template(
            "birth-registered.html", f'{{% extends "layout.html" %}}{{% block content %}}{content}{{% endblock %}}'
        )
        country.template("death-rejected.html", "{% endif %}")
        pages = country.pages()
        for name, is_concerned in (("birth-registered", True), ("death-registered", False)):
            page = read(pages.get(f"/messages/{name}").text)
            own, _, elsewhere = page.partition("in other messages and files")
            assert ("Error" in own and said in own) == is_concerned
            assert is_concerned or said in elsewhere

    def test_a_text_that_many_share_is_a_problem_of_each(self, country: CountryFiles) -> None:
        country.words("layout.closing,,Yours {{truly}},")
        pages = country.pages()
        for name in ("2fa", "birth-registered"):
            own, _, _ = pages.get(f"/messages/{name}").text.partition("in other messages and files")
            assert "{{truly}}" in own

    def test_nothing_wrong_is_said_too(self, country: CountryFiles) -> None:
        country.words("otherCorrectionRejectedNotification,,Not corrected: {{trackingId}}. {{reason}},")
        assert "error" not in read(country.pages().get("/messages/2fa").text)


class TestMessage:
    def test_it_is_made_with_the_countrys_words(self, country: CountryFiles) -> None:
        country.words("2fa.subject,,The secret of {{applicationName}},")
        page = read(country.pages(APPLICATION_NAME="Farajaland").get("/messages/2fa").text)
        assert "The secret of Farajaland" in page

    def test_it_stands_in_two_frames(self, shipped: FlaskClient) -> None:
        page = shipped.get("/messages/2fa?language=fr").text
        frames = re.findall(r'<iframe src="([^"]*)" title="([^"]*)" sandbox="([^"]*)"', page)
        assert frames == [
            ("/messages/2fa/html?language=fr", "The e-mail on a phone", "allow-same-origin"),
            ("/messages/2fa/html?language=fr", "The e-mail on a desktop", "allow-same-origin"),
        ]

    def test_several_languages_are_shown_in_one_where_they_are_sent_in_one(self, country: CountryFiles) -> None:
        assert "language=en,fr" not in country.pages().get("/messages/2fa").text
        pages = country.pages(NOTIFICATION_LANGUAGES="en,fr")
        assert 'href="/messages/2fa?language=en,fr"' in pages.get("/messages/2fa").text
        page = read(pages.get("/messages/2fa?language=en,fr").text)
        for language in ("en", "fr"):
            assert RENDERER.page("2fa", SAMPLES["2fa"].variables, language).subject in page

    def test_values_can_be_long(self, shipped: FlaskClient) -> None:
        assert "Mwansa-Mulenga" not in shipped.get("/messages/birth-registered").text
        page = shipped.get("/messages/birth-registered?values=long")
        assert "Christabel Nkandu Mwansa-Mulenga" in page.text
        assert "Mwansa-Mulenga" in shipped.get("/messages/birth-registered/html?values=long").text

    @pytest.mark.parametrize(("colours", "always"), [("light", "light"), ("dark", "dark")])
    def test_colours_do_not_depend_on_the_device(self, shipped: FlaskClient, colours: str, always: str) -> None:
        page = shipped.get(f"/messages/2fa/html?colours={colours}").text
        assert "prefers-color-scheme" not in page
        assert ("@media (min-width: 0)" in page) == (colours == "dark")
        assert f'name="color-scheme" content="{always}"' in page

    def test_the_logo_is_inside_of_the_frame(self, country: CountryFiles) -> None:
        country.template("logo.png", PNG)
        page = country.pages().get("/messages/2fa/html").text
        assert 'src="data:image/png;base64,iVBORw0KGgog' in page
        assert "cid:" not in page

    def test_pictures_from_elsewhere_are_explained(self, country: CountryFiles, shipped: FlaskClient) -> None:
        assert "not fetched here" not in shipped.get("/messages/2fa").text
        country.template("2fa.html", '<p>{{ code }}<img src="https://a.test/x.png" alt="">')
        assert "not fetched here" in country.pages().get("/messages/2fa").text

    def test_what_an_sms_costs(self, country: CountryFiles) -> None:
        country.words("birthRegistrationNotification,,“{{name}}” {{registrationNumber}} {{trackingId}},")
        page = read(country.pages().get("/messages/birth-registered").text)
        assert "Segments 1 Characters 47 Encoding UCS-2 With long names 1 segment, 65 characters" in page
        assert "not in the alphabet of SMS, so that each segment holds 70 characters and not 160: “ ”" in page

    def test_a_message_without_sms_says_so(self, shipped: FlaskClient) -> None:
        assert "goes by e-mail only" in read(shipped.get("/messages/all-user-notification").text)

    @pytest.mark.parametrize(
        ("name", "setting"),
        [("2fa", "USER_NOTIFICATION_DELIVERY_METHOD"), ("birth-rejected", "INFORMANT_NOTIFICATION_DELIVERY_METHOD")],
    )
    def test_whether_it_goes_by_sms_at_all(
        self, shipped: FlaskClient, country: CountryFiles, name: str, setting: str
    ) -> None:
        assert f"{setting} has no sms" in read(shipped.get(f"/messages/{name}").text)
        assert "has no sms" not in read(country.pages(**{setting: "email,sms"}).get(f"/messages/{name}").text)

    def test_the_files_and_rows_that_it_is_made_of(self, country: CountryFiles) -> None:
        country.words("2fa.intro,,Use {{code}},")
        country.template("layout.html", '{% extends "default/layout.html" %}')
        page = read(country.pages().get("/messages/2fa?language=fr").text).partition("What it is made of")[2]
        assert re.search(r"2fa\.intro Saisissez .{,70} translations/email\.csv , row \d+ shipped", page)
        assert "templates/email/2fa.html shipped templates/email/layout.html yours" in page
        assert "templates/email/layout.html shipped" in page
        english = read(country.pages().get("/messages/2fa?language=en").text)
        assert "2fa.intro Use {{code}} translations/ours.csv , row 2 yours" in english

    def test_a_text_in_another_language_says_so(self, country: CountryFiles) -> None:
        country.words("2fa.subject,,,,Msimbo", languages="en,fr,xx")
        page = read(country.pages().get("/messages/2fa?language=xx").text)
        assert "2fa.subject Msimbo translations/ours.csv" in page
        assert "This is the text in en: there is none in xx." in page

    def test_the_values_that_words_may_use(self, shipped: FlaskClient) -> None:
        page = read(shipped.get("/messages/2fa").text)
        assert "{{code}} 730164" in page
        assert "{{applicationName}} OpenCRVS" in page

    @pytest.mark.parametrize(
        ("path", "said"),
        [
            ("/messages/nothing", "There is no message nothing"),
            ("/messages/nothing/html", "There is no message nothing"),
            ("/messages/2fa?language=xx", "There is no language xx; there are en"),
            ("/messages/%3Cscript%3E", "There is no message <script>"),
        ],
    )
    def test_what_is_not_there(self, shipped: FlaskClient, path: str, said: str) -> None:
        answer = shipped.get(path)
        assert answer.status_code == 404
        assert said in read(answer.text)
        assert "<script>" not in answer.text


class TestBrokenFiles:
    def test_each_is_named(self, country: CountryFiles) -> None:
        files: dict[str, str | bytes] = {
            "translations/1.csv": 'id,en\n2fa.subject,"never closed\n',
            "translations/2.csv": "key;en\n2fa.subject;Code\n",
            "translations/3.csv": "id,en\n2fa.subject,Code,of,you\n",
            "translations/4.csv": "id,en\n2fa.subject,Clé\n".encode("latin-1"),
            "translations/5.csv": b"",
            "translations/6.csv": "id,en\nchange-phone-number.subject,{{coed}}\n",
            "translations/7.csv": "id,en\n2fa.intro,{{code\n",
            "templates/email/user-created.html": "{% extends 'layout.html' %}{% block content %}",
            "templates/email/user-updated.html": "{{ no_such_thing }}",
            "templates/email/username-reminder.html": "clé".encode("latin-1"),
            "templates/email/reset-password.html": "",
            "templates/email/reset-password-by-admin.html": "<!-- nothing -->",
            "templates/email/resend-invite.html": "<?xml encoding='x'?><a",
        }
        for name, content in files.items():
            country.write(name, content)
        pages = country.pages()
        named = errors_of(pages, "/messages")
        assert [name for name in files if name not in named] == []
        for name in SAMPLES:
            assert pages.get(f"/messages/{name}?language=en,fr&values=long&colours=dark").status_code == 200
            assert pages.get(f"/messages/{name}/html").status_code in (200, 404)
            template = f"templates/email/{name}.html"
            assert template not in files or template in errors_of(pages, f"/messages/{name}")

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("templates/email/layout.html", "{% for %}"),
            ("templates/email/look.toml", "colours"),
            ("templates/email/look.toml", '[light]\nbnad = "#000000"'),
            ("templates/email/logo.png", "GIF89a"),
            ("rules.py", "trigger("),
            ("rules.py", RULES.replace("hospital-discharge", "2fa")),
        ],
    )
    def test_one_that_all_messages_need_is_named(self, country: CountryFiles, name: str, content: str) -> None:
        country.write(name, content)
        pages = country.pages()
        for path in ("/messages", "/messages/2fa"):
            assert name in errors_of(pages, path)
        assert pages.get("/messages/2fa/html").status_code in (200, 404)

    def test_what_is_not_broken_is_shown(self, country: CountryFiles) -> None:
        country.template("2fa.html", "{% if %}")
        pages = country.pages()
        broken = read(pages.get("/messages/2fa").text)
        assert "The e-mail cannot be made." in broken
        assert "730164 is your OpenCRVS code" in broken
        assert "templates/email/2fa.html yours" in broken
        assert "cannot be made" not in read(pages.get("/messages/user-created").text)

    def test_an_sms_alone_may_be_broken(self, country: CountryFiles) -> None:
        country.words("authenticationCodeNotification,,{{coed}},")
        page = read(country.pages().get("/messages/2fa").text)
        assert "The SMS cannot be made." in page
        assert "The e-mail cannot be made." not in page

    def test_a_template_that_names_another_which_is_not_there(self, country: CountryFiles) -> None:
        country.template("2fa.html", "{% extends 'none.html' %}")
        assert "none.html" in read(country.pages().get("/messages/2fa").text)

    @pytest.mark.parametrize(
        ("rows", "said"),
        [([], "hospital-discharge.subject"), (["hospital-discharge.subject,,Out,"], "no such template")],
    )
    def test_a_message_of_the_country_that_is_not_there_yet(
        self, country: CountryFiles, rows: list[str], said: str
    ) -> None:
        country.write("rules.py", RULES)
        country.words(*rows, "hospital-discharge.sms,,Out of {{ward}},")
        page = country.pages().get("/messages/hospital-discharge")
        assert page.status_code == 200
        assert said in read(page.text)
        assert "Out of ward" in read(page.text)


class TestFollowing:
    def test_what_is_saved_is_shown(self, country: CountryFiles) -> None:
        pages = country.pages()
        assert "Your OpenCRVS sign-in code" in pages.get("/messages/2fa").text
        country.words("2fa.subject,,The secret,")
        assert "The secret" in pages.get("/messages/2fa").text
        country.words("2fa.subject,,The mystery,")
        assert "The mystery" in pages.get("/messages/2fa").text

    @pytest.mark.parametrize(
        "name",
        ["translations/ours.csv", "templates/email/look.toml", "templates/email/2fa.html", "templates/email/x/y"],
    )
    def test_the_fingerprint_is_another_one_after_every_change(self, country: CountryFiles, name: str) -> None:
        pages = country.pages()
        seen = [pages.get("/messages/fingerprint").text]
        path = country.write(name, "a")
        seen.append(pages.get("/messages/fingerprint").text)
        path.write_text("b, c")
        seen.append(pages.get("/messages/fingerprint").text)
        path.unlink()
        assert pages.get("/messages/fingerprint").text == seen[0]
        assert len(set(seen)) == 3

    @pytest.mark.parametrize(
        "name", ["translations/.ours.csv.swp", "templates/email/2fa.html~", "rules.py", "README.md"]
    )
    def test_other_files_do_not_count(self, country: CountryFiles, name: str) -> None:
        pages = country.pages()
        before = pages.get("/messages/fingerprint").text
        country.write(name, "a")
        assert pages.get("/messages/fingerprint").text == before

    @pytest.mark.parametrize("path", ["/messages", "/messages/2fa", "/messages/nothing"])
    def test_a_page_knows_what_it_was_made_of(self, shipped: FlaskClient, path: str) -> None:
        seen = shipped.get("/messages/fingerprint").text
        assert f'data-fingerprint="{seen}" data-watch="/messages/fingerprint"' in shipped.get(path).text


PATHS = ["/messages", "/messages/2fa", "/messages/2fa/html", "/messages/fingerprint", "/messages/nothing"]


class TestProtection:
    @pytest.mark.parametrize("path", PATHS)
    def test_headers(self, shipped: FlaskClient, path: str) -> None:
        headers = shipped.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        policy = set(headers["Content-Security-Policy"].split("; "))
        assert {"default-src 'none'", "base-uri 'none'"} <= policy
        if path.endswith("/html"):
            assert {"sandbox allow-same-origin", "img-src data:", "frame-ancestors 'self'"} <= policy
        else:
            assert {"script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"} <= policy

    @pytest.mark.parametrize("path", ["/messages", "/messages/2fa", "/messages/nothing"])
    def test_pages_keep_to_their_own_policy(self, shipped: FlaskClient, path: str) -> None:
        page = shipped.get(path).text
        assert not re.search(r"<style|\bstyle=|\bon\w+=", page)
        assert re.findall(r"<script[^>]*>[^<]*</script>", page) == [
            '<script src="/console/static/messages.js" defer></script>'
        ]
        with shipped.get("/console/static/messages.js") as script:
            assert script.mimetype == "text/javascript"

    @pytest.mark.parametrize("path", PATHS)
    def test_only_trusted_networks_see_them(self, client: FlaskClient, path: str) -> None:
        assert client.get(path).status_code != 403
        answer = client.get(path, environ_overrides=OUTSIDE)
        assert answer.status_code == 403
        assert "TRUSTED_NETWORKS" in answer.text
        assert "730164" not in answer.text

    def test_production_has_no_such_page(
        self, make_settings: Callable[..., Settings], make_app: Callable[[Settings], Flask], sqlite_url: str
    ) -> None:
        production = {
            "APP_ENV": "production",
            "DATABASE_URL": sqlite_url,
            "AUTH_URL": "http://auth.test",
            "DOMAIN": "registry.test",
            "LOGIN_URL": "https://login.registry.test",
            "SMTP_HOST": "mail.registry.test",
            "SENDER_EMAIL_ADDRESS": "no-reply@registry.test",
        }
        assert make_app(make_settings(**production)).test_client().get("/messages").status_code == 404


def test_the_inbox_leads_to_the_messages_and_they_lead_back(client: FlaskClient) -> None:
    assert '<a href="/messages">Messages</a>' in client.get("/inbox").text
    assert '<a href="/messages" aria-current="true">Messages</a>' in client.get("/messages/2fa").text
    assert '<a href="/inbox">Inbox</a>' in client.get("/messages").text


def test_the_page_alone_leads_nowhere_else(shipped: FlaskClient) -> None:
    assert shipped.get("/").location == "/messages"
    assert "/inbox" not in shipped.get("/messages").text
