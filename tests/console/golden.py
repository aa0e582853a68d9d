"""`python -m tests.console.golden` takes the pictures in docs/golden: each language, for a person to look over."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import make_server

from app.composition.messages import create_preview
from app.settings import Settings
from tests.console.test_messages_in_browser import ARGUMENTS, CHROMIUM, Quiet

PICTURES = Path(__file__).parents[2] / "docs" / "golden"
MESSAGES = (
    "user-created",
    "2fa",
    "birth-registered",
    "death-rejected",
    "marriage-in-review",
    "birth-correction-rejected",
)
_WIDTH = 390
_PAGE = """<!doctype html><style>
  body {{ margin: 0; padding: 16px; background: {back}; display: grid; grid-template-columns: repeat(3, {width}px);
    gap: 16px; width: max-content }}
  iframe {{ border: 0; width: {width}px; height: {height}px; border-radius: 8px; background: white }}
</style>{frames}"""


def take(browser: Browser, address: str, language: str, scheme: str) -> None:
    """One picture: six messages in one language, on the width of a phone."""
    page = browser.new_page(viewport={"width": 3 * (_WIDTH + 24), "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    query = f"language={language}&colours={scheme}"
    frames = "".join(f'<iframe src="{address}/messages/{name}/html?{query}"></iframe>' for name in MESSAGES)
    back = "#d9e0ea" if scheme == "light" else "#000"
    page.route(
        "**/golden",
        lambda route: route.fulfill(
            content_type="text/html", body=_PAGE.format(back=back, width=_WIDTH, height=860, frames=frames)
        ),
    )
    page.goto(f"{address}/golden", wait_until="networkidle")
    page.screenshot(path=PICTURES / f"{language}{'-dark' if scheme == 'dark' else ''}.png", full_page=True)
    page.close()


def main() -> None:
    """All languages in light colours, and one in dark ones."""
    PICTURES.mkdir(exist_ok=True)
    environ = {"APP_ENV": "development", "INSTANCE_DIR": tempfile.mkdtemp(), "APPLICATION_NAME": "Civil Registry"}
    server = make_server(
        "127.0.0.1", 0, create_preview(Settings.from_env(environ)), threaded=True, request_handler=Quiet
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for language in ("en", "fr", "pt", "es", "ar", "sw"):
            take(browser, address, language, "light")
        take(browser, address, "en", "dark")
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main()
