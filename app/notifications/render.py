"""Messages as they go out: wording and layout put together."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import css_inline
from jinja2 import (
    ChoiceLoader,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateError,
    TemplatesNotFound,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from app.notifications.catalogue import INFORMANT_MESSAGES
from app.notifications.email.mime import one_line
from app.notifications.email.plain_text import plain_text
from app.notifications.errors import MessageError
from app.notifications.joining import joined_pages
from app.notifications.logo import Image, Logo
from app.notifications.look import Look
from app.notifications.translations import Translations, UnknownText

__all__ = ["CannotRender", "RenderedEmail", "Renderer", "This", "one_line", "paragraphs"]

_BLANK_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")
_RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"})


class CannotRender(MessageError):
    """A template is missing or wrong."""

    def __init__(self, message: str, problem: str) -> None:
        self.message = message
        super().__init__(f"templates/email/{message}.html: {problem}")


@dataclass(frozen=True)
class RenderedEmail:
    """The subject is one line; the HTML has its styles inside its elements, and its pictures in `images`."""

    subject: str
    html: str
    text: str
    images: tuple[Image, ...] = ()


@dataclass(frozen=True)
class Page:
    """An e-mail in one language, as its template makes it."""

    subject: str
    html: str


@dataclass(frozen=True)
class This:
    """What a template knows of its e-mail, under the name `this`.

    `direction` is `ltr` or `rtl`. In an e-mail of several languages, `first` is True for the part on top; `logo` says
    whether the country's logo is to be shown.
    """

    message: str
    subject: str
    language: str
    direction: str
    first: bool = True
    logo: bool = False


@dataclass(frozen=True)
class Names:
    """What messages call the system, and where they link to."""

    application: str
    login_url: str
    client_app_url: str


class Renderer:
    """Renders messages in one language or several; where one lacks a text, the default or the English one stands in.

    Of `template_dirs` the first that has a file wins; the last is our own, and its files can also be named
    `default/<name>`, so that a country's `layout.html` can extend ours. A language's own `<name>.fr.html` wins over
    `<name>.html`. Variables that wording and templates have beside those of the caller: applicationName, loginURL and
    completeSetupUrl (the same), clientAppUrl, countryLogo (an address). A caller's variable of the same name goes
    before. An empty `name` is the wording with the id in `unnamed`. Safe to share between threads.
    """

    def __init__(
        self,
        template_dirs: Sequence[Path],
        translations: Translations,
        look: Look,
        logo: Logo,
        names: Names,
    ) -> None:
        self._translations = translations
        self._environment = _environment(template_dirs)
        self._environment.globals["look"] = look
        self._inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
        self._logo = logo
        self._always = {
            "applicationName": names.application,
            "loginURL": names.login_url,
            "completeSetupUrl": names.login_url,
            "clientAppUrl": names.client_app_url,
            "countryLogo": logo.address,
        }

    @property
    def always(self) -> Mapping[str, str]:
        """The variables that every message has."""
        return self._always

    @property
    def languages(self) -> tuple[str, ...]:
        """Those in which there is any text."""
        return self._translations.languages

    def email(self, message: str, variables: Mapping[str, str], *languages: str) -> RenderedEmail:
        """Render `<message>.html`, with the wording `<message>.subject` as its subject. Raises MessageError."""
        pages = [
            self.page(message, variables, language, first=number == 0)
            for number, language in enumerate(self._spoken(f"{message}.subject", languages))
        ]
        html = joined_pages([self._inliner.inline(page.html) for page in pages])
        image = self._logo.image
        return RenderedEmail(
            subject=" / ".join(dict.fromkeys(page.subject for page in pages)),
            html=html,
            text=plain_text(html),
            images=(image,) if image is not None and image.content_id in html else (),
        )

    def sms(self, text_id: str, variables: Mapping[str, str], *languages: str) -> str:
        """Fill the wording. Raises MessageError."""
        texts = [
            self._translations.filled(text_id, language, self._given(variables, language), escape=False)
            for language in self._spoken(text_id, languages)
        ]
        return "\n".join(dict.fromkeys(texts))

    def _spoken(self, text_id: str, languages: Sequence[str]) -> list[str]:
        """The languages, without those in which another one would stand in that is there anyway."""
        asked = {self._translations.language_of(text_id, language): language for language in reversed(languages)}
        return list(reversed(asked.values()))

    def page(self, message: str, variables: Mapping[str, str], language: str, *, first: bool = True) -> Page:
        """The HTML in one language, before its styles are moved into its elements. Raises MessageError."""
        everything = self._given(variables, language)
        subject_id = f"{message}.subject"
        subject = one_line(self._translations.filled(subject_id, language, everything, escape=False))
        # Where our texts do not speak the language, the reader's software must not be told that they do.
        spoken = self._translations.language_of(subject_id, language)
        this = This(message, subject, spoken, _direction(spoken), first, self._logo.shown)
        context = {**everything, "this": this, "t": self._lookup(language, everything)}
        return Page(subject, self._html(message, language, context))

    def file_of(self, message: str, language: str) -> str:
        """The path of the template that a message has in a language; where it should be, if it has none."""
        try:
            return str(self._environment.select_template(_templates(message, language)).filename)
        except TemplateError:
            return f"templates/email/{message}.html"

    def _given(self, variables: Mapping[str, str], language: str) -> dict[str, str]:
        given = {**self._always, **variables}
        if not given.get("name") and "unnamed" in given:
            given["name"] = self._translations.filled(given["unnamed"], language, given, escape=False)
        return given

    def _html(self, message: str, language: str, context: Mapping[str, object]) -> str:
        try:
            return self._environment.select_template(_templates(message, language)).render(context)
        except MessageError:
            raise
        except TemplatesNotFound:
            raise CannotRender(message, "there is no such template") from None
        except TemplateSyntaxError as error:
            raise CannotRender(message, f"{error.name}, line {error.lineno}: {error.message}") from None
        except TemplateError as error:
            raise CannotRender(message, f"{type(error).__name__}: {error.message}") from None
        except Exception as error:
            # A country's template may do anything. What the error says may quote a person's data.
            raise CannotRender(message, type(error).__name__) from error

    def _lookup(self, language: str, variables: Mapping[str, str]) -> Callable[..., Markup]:
        def t(text_id: str, default: str | None = None) -> Markup:
            try:
                return Markup(self._translations.filled(text_id, language, variables, escape=True))  # noqa: S704  it is
            except UnknownText:
                if default is None:
                    raise
                return escape(default)

        return t


def _templates(message: str, language: str) -> list[str]:
    """The files that will do, the best one first."""
    known = INFORMANT_MESSAGES.get(message)
    names = (message, *(known.shared if known is not None else ()))
    return [file for name in names for file in (f"{name}.{language}.html", f"{name}.html")]


def paragraphs(text: str) -> list[list[str]]:
    """A template filter: plain text as paragraphs, which blank lines part, each a list of lines."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    return [part.split("\n") for part in _BLANK_LINES.split(lines)]


def _environment(template_dirs: Sequence[Path]) -> ImmutableSandboxedEnvironment:
    loaders = [FileSystemLoader(directory) for directory in template_dirs]
    environment = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([*loaders, PrefixLoader({"default": loaders[-1]})]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["paragraphs"] = paragraphs
    return environment


def _direction(language: str) -> str:
    return "rtl" if re.split("[-_]", language)[0].lower() in _RIGHT_TO_LEFT else "ltr"
