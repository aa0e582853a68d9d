"""The pages of the development inbox."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app.console.inbox import inbox_pages
from app.database.engine import Database
from app.database.tables import inbox as table
from app.encryption import Cipher
from app.notifications.inbox import Inbox

HTML = '<!DOCTYPE html><html lang="en"><p style="color:red">Hi</p>'


@pytest.fixture
def opened(sqlite_url: str) -> Iterator[Database]:
    database = Database(sqlite_url)
    yield database
    database.close()


@pytest.fixture
def inbox(opened: Database, cipher: Cipher) -> Inbox:
    return Inbox(opened, cipher)


@pytest.fixture
def allowed() -> list[bool]:
    """The answer that callers get; a test may change it."""
    return [True]


@pytest.fixture
def pages(inbox: Inbox, allowed: list[bool]) -> FlaskClient:
    app = Flask("tests", static_folder=None)
    app.register_blueprint(inbox_pages(inbox, lambda: allowed[0]))
    return app.test_client()


@pytest.fixture
def filled(inbox: Inbox) -> Inbox:
    inbox.put(
        "e1",
        "email",
        sender="no-reply@x.test",
        to=["amina@x.test"],
        bcc=["b@x.test", "c@x.test"],
        subject="<b>Subject</b>",
        html=HTML,
        text="Sign in: https://login.x.test\n<i>",
    )
    inbox.put("s1", "sms", sender="", to=["+260977111222"], text="Your code: 123456 €")
    return inbox


PATHS = ["/inbox", "/inbox/e1", "/inbox/s1", "/inbox/e1/html"]


class TestList:
    def test_an_empty_inbox_shows_what_to_try(self, pages: FlaskClient) -> None:
        page = pages.get("/inbox").text
        assert "Nothing here yet" in page
        assert "curl http://localhost/triggers/user/2fa" in page
        assert "Clear inbox" not in page

    @pytest.mark.usefixtures("filled")
    def test_messages_are_listed_the_newest_first(self, pages: FlaskClient) -> None:
        page = pages.get("/inbox").text
        assert re.findall(r'href="(/inbox/\w+)"', page) == ["/inbox/s1", "/inbox/e1"]
        assert "&lt;b&gt;Subject&lt;/b&gt;" in page
        assert "to amina@x.test and 2 more" in " ".join(page.split())
        assert "Your code: 123456 €" in page
        assert "just now" in page

    def test_a_link_in_an_sms_is_listed_without_its_token(self, pages: FlaskClient, inbox: Inbox) -> None:
        text = "New password: https://login.x.test/recover?token=q3%2BZp"
        inbox.put("s2", "sms", sender="", to=["+260977111222"], text=text)
        page = pages.get("/inbox").text
        assert "New password: https://login.x.test/recover?token=***" in page
        assert "q3%2BZp" not in page

    def test_it_refreshes_itself(self, pages: FlaskClient) -> None:
        assert '<meta http-equiv="refresh" content="5">' in pages.get("/inbox").text
        assert "http-equiv" not in pages.get("/inbox/none").text

    @pytest.mark.usefixtures("filled")
    @pytest.mark.parametrize(
        ("age", "words"),
        [(-60, "just now"), (59, "just now"), (70, "1 minute ago"), (7_300, "2 hours ago"), (90_000, "1 day ago")],
    )
    def test_ages(self, pages: FlaskClient, opened: Database, age: float, words: str) -> None:
        with opened.transaction() as connection:
            connection.execute(update(table).values(received_at=table.c.received_at - age))
        assert f">{words} <span>" in pages.get("/inbox").text

    def test_a_message_for_nobody_and_about_nothing_is_listed_too(self, pages: FlaskClient, inbox: Inbox) -> None:
        inbox.put("e0", "email", sender="a@x.test", to=[], text="")
        page = pages.get("/inbox").text
        assert "(no subject)" in page
        assert "to nobody" in " ".join(page.split())


class TestMessage:
    @pytest.mark.usefixtures("filled")
    def test_an_email_is_shown_with_its_headers_and_both_parts(self, pages: FlaskClient) -> None:
        page = pages.get("/inbox/e1").text
        assert "<h1>&lt;b&gt;Subject&lt;/b&gt;</h1>" in page
        assert all(address in page for address in ("no-reply@x.test", "amina@x.test", "b@x.test, c@x.test"))
        assert '<iframe src="/inbox/e1/html" title="The e-mail" sandbox></iframe>' in page
        assert 'href="https://login.x.test"' in page
        assert "&lt;i&gt;" in page
        assert HTML not in page

    @pytest.mark.usefixtures("filled")
    def test_an_sms_is_shown_with_what_it_costs(self, pages: FlaskClient) -> None:
        page = " ".join(pages.get("/inbox/s1").text.split())
        assert '<p class="bubble">Your code: 123456 €</p>' in page
        assert "<dt>Encoding</dt><dd>GSM-7</dd>" in page
        assert "<dt>Characters</dt><dd>20</dd>" in page
        assert "<dt>Segments</dt><dd>1</dd>" in page
        assert "iframe" not in page

    @pytest.mark.usefixtures("filled")
    def test_the_html_part_is_served_as_it_is(self, pages: FlaskClient) -> None:
        answer = pages.get("/inbox/e1/html")
        assert answer.text == HTML
        assert answer.mimetype == "text/html"

    @pytest.mark.usefixtures("filled")
    @pytest.mark.parametrize(
        "path", ["/inbox/none", "/inbox/none/html", "/inbox/s1/html", "/inbox/%00", "/inbox/clear"]
    )
    def test_what_is_not_there(self, pages: FlaskClient, path: str) -> None:
        answer = pages.get(path)
        assert answer.status_code == 404
        assert "No such message" in answer.text

    @pytest.mark.usefixtures("filled")
    def test_a_message_under_a_lost_key_says_so(self, opened: Database) -> None:
        app = Flask("tests", static_folder=None)
        app.register_blueprint(inbox_pages(Inbox(opened, Cipher([Fernet.generate_key().decode()])), lambda: True))
        answer = app.test_client().get("/inbox")
        assert answer.status_code == 500
        assert "SECRET_KEY" in answer.text
        assert "Clear inbox" in answer.text


class TestClear:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
            {"Origin": "http://localhost"},
            {"Origin": "https://localhost"},
        ],
    )
    def test_our_own_page_may(self, pages: FlaskClient, filled: Inbox, headers: dict[str, str]) -> None:
        answer = pages.post("/inbox/clear", headers=headers)
        assert (answer.status_code, answer.location) == (303, "/inbox")
        assert filled.newest() == []

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none"},
            {"Origin": "null"},
            {"Origin": "http://localhost:81"},
            {"Origin": "http://localhost.evil.test"},
            {"Origin": "http://[broken"},
        ],
    )
    def test_nobody_else_may(self, pages: FlaskClient, filled: Inbox, headers: dict[str, str]) -> None:
        answer = pages.post("/inbox/clear", headers=headers)
        assert answer.status_code == 403
        assert len(filled.newest()) == 2


class TestProtection:
    @pytest.mark.usefixtures("filled")
    @pytest.mark.parametrize("path", [*PATHS, "/inbox/none"])
    def test_who_is_not_allowed_sees_nothing(self, pages: FlaskClient, allowed: list[bool], path: str) -> None:
        allowed[0] = False
        answer = pages.get(path)
        assert answer.status_code == 403
        assert "123456" not in answer.text
        assert "TRUSTED_NETWORKS" in answer.text

    def test_who_is_not_allowed_clears_nothing(self, pages: FlaskClient, filled: Inbox, allowed: list[bool]) -> None:
        allowed[0] = False
        assert pages.post("/inbox/clear", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 403
        assert len(filled.newest()) == 2

    @pytest.mark.usefixtures("filled")
    @pytest.mark.parametrize("allow", [True, False])
    @pytest.mark.parametrize("path", [*PATHS, "/inbox/none"])
    def test_headers(self, pages: FlaskClient, allowed: list[bool], path: str, allow: bool) -> None:
        allowed[0] = allow
        headers = pages.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        policy = headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "base-uri 'none'"} <= set(policy)
        if path.endswith("/html") and allow:
            assert {"sandbox", "style-src 'unsafe-inline'", "img-src data:", "frame-ancestors 'self'"} <= set(policy)
        else:
            own = {"style-src 'self'", "frame-src 'self'", "form-action 'self'", "frame-ancestors 'none'"}
            assert own <= set(policy)

    @pytest.mark.usefixtures("filled")
    @pytest.mark.parametrize("path", ["/inbox", "/inbox/e1", "/inbox/s1", "/inbox/none"])
    def test_pages_keep_to_their_own_policy(self, pages: FlaskClient, path: str) -> None:
        page = pages.get(path).text
        assert not re.search(r"<script|<style|\bstyle=|\bon\w+=", page)
        assert re.findall(r'<link rel="stylesheet" href="([^"]+)"', page) == ["/console/static/console.css"]

    def test_the_style_sheet_is_there_for_everybody(self, pages: FlaskClient, allowed: list[bool]) -> None:
        allowed[0] = False
        with pages.get("/console/static/console.css") as answer:
            assert (answer.status_code, answer.mimetype) == (200, "text/css")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
