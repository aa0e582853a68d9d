"""The pages of the messages in a real browser."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from app.composition.messages import create_preview
from tests.console.countries import CountryFiles, settings_of

CHROMIUM = shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@pytest.fixture
def country(tmp_path: Path) -> CountryFiles:
    (tmp_path / "country").mkdir()
    return CountryFiles(tmp_path / "country")


@pytest.fixture
def address(country: CountryFiles) -> Iterator[str]:
    """Where the pages of this country are."""
    app = create_preview(settings_of(country.directory))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}/messages"
    server.shutdown()
    serving.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser says in its console."""
    return []


@pytest.fixture
def page(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    opened = context.new_page()
    opened.on("console", lambda said: complaints.append(said.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()


def test_a_page_loads_again_by_itself_when_a_file_is_saved(
    page: Page, address: str, country: CountryFiles, complaints: list[str]
) -> None:
    page.goto(f"{address}/2fa")
    expect(page.get_by_text("Follows your files")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your OpenCRVS sign-in code")
    country.words("2fa.subject,,The secret,", "2fa.intro,,The words of the country,")
    expect(page.get_by_role("heading", level=1)).to_have_text("The secret", timeout=15_000)
    frame = page.frame_locator("iframe").first
    expect(frame.locator("p", has_text="The words of the country")).to_be_visible()
    assert complaints == []


def test_a_page_of_broken_files_comes_back_when_they_are_mended(
    page: Page, address: str, country: CountryFiles
) -> None:
    broken = country.template("2fa.html", "{% if %}")
    page.goto(f"{address}/2fa")
    expect(page.get_by_text("The e-mail cannot be made.")).to_be_visible()
    broken.unlink()
    expect(page.frame_locator("iframe").first.get_by_text("730164")).to_be_visible(timeout=15_000)


@pytest.mark.parametrize("path", ["", "?show=problems", "/2fa", "/2fa?language=fr&values=long", "/nothing"])
def test_a_phone_need_not_scroll_sideways(page: Page, address: str, country: CountryFiles, path: str) -> None:
    country.words("2fa.ifNotYou,,{{" + 60 * "coed" + "}},")
    page.goto(f"{address}{path}")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_frame_is_as_tall_as_its_email(page: Page, address: str) -> None:
    page.goto(f"{address}/2fa")
    expect(page.get_by_text("Follows your files")).to_be_visible()
    for number in range(2):
        frame = page.locator("iframe").nth(number)
        inside = frame.evaluate("frame => frame.contentDocument.documentElement.scrollHeight")
        assert 300 < inside < 1500
        assert frame.evaluate("frame => frame.clientHeight") == inside
