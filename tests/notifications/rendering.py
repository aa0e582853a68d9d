"""What the tests of rendering share: a renderer of our own messages, and a reader of the HTML that comes out."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from app.notifications import logo, look, translations
from app.notifications.catalogue import Expiry
from app.notifications.render import Names, RenderedEmail, Renderer
from app.notifications.translations import Translations
from app.notifications.variables import MessageVariables
from app.settings import LogoMode
from app.triggers.samples import USER_SAMPLES

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates" / "email"
WORDING = translations.load([ROOT / "translations"])
LOGIN = "https://login.farajaland.test/?a=1&b=2"
VARIABLES = MessageVariables(LOGIN, {Expiry.CODE: 600, Expiry.LINK: 3_600})


class Page(HTMLParser):
    """What a reader's program finds in an e-mail."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, "elements are nested as they should"

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self.texts[tag][-1] += data

    def attributes(self, name: str) -> list[str | None]:
        return [attrs[name] for _, attrs in self.tags if name in attrs]


def renderer(*countries: Path, wording: Translations = WORDING, replies: bool = False) -> Renderer:
    directories = [*countries, TEMPLATES]
    return Renderer(
        directories,
        wording,
        look.load(directories),
        logo.load(directories, LogoMode.EMBEDDED, "https://countryconfig.farajaland.test/content/country-logo"),
        Names("OpenCRVS", LOGIN, "https://register.farajaland.test", replies),
    )


RENDERER = renderer()


def variables(message: str, **changed: Any) -> dict[str, str]:
    return VARIABLES.of_payload(message, {**USER_SAMPLES[message], **changed})


def rendered(message: str, language: str = "en", **changed: Any) -> RenderedEmail:
    return RENDERER.email(message, variables(message, **changed), language)
