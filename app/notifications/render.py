"""Messages as they go out: wording and layout put together."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import css_inline
from jinja2 import Environment, StrictUndefined, TemplateError, TemplatesNotFound, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from app.notifications.catalogue import INFORMANT_MESSAGES
from app.notifications.email.mime import one_line
from app.notifications.email.plain_text import plain_text
from app.notifications.errors import MessageError
from app.notifications.joining import joined_pages
from app.notifications.logo import Image, Logo
from app.notifications.look import Look
from app.notifications.template_files import TemplateFiles
from app.notifications.translations import Translations, UnknownText, base_of

__all__ = ["ALWAYS", "CannotRender", "RenderedEmail", "Renderer", "This", "one_line", "paragraphs"]

_BLANK_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")
_BETWEEN_LANGUAGES = f"\n{'_' * 40}\n\n"
_RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"})


@dataclass(frozen=True)
class TemplatePlace:
    """A line of a template; lines count from 1."""

    file: str
    line: int


class CannotRender(MessageError):
    """A template is missing or wrong. What Python or Jinja said of it is the cause."""

    def __init__(self, message: str, problem: str) -> None:
        self.message = message
        self.problem = problem
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
    whether the country's logo is to be shown, `replies` whether somebody reads what is answered to it.
    """

    message: str
    subject: str
    language: str
    direction: str
    first: bool = True
    logo: bool = False
    replies: bool = False


@dataclass(frozen=True)
class Names:
    """What messages call the system, where they link to, and whether somebody reads what is answered to them."""

    application: str
    login_url: str
    client_app_url: str
    replies: bool = False


def _always(names: Names, logo: Logo) -> dict[str, str]:
    return {
        "applicationName": names.application,
        "loginURL": names.login_url,
        "completeSetupUrl": names.login_url,
        "clientAppUrl": names.client_app_url,
        "countryLogo": logo.address,
    }


ALWAYS = frozenset(_always(Names("", "", ""), Logo("", shown=False)))
"""The variables that every message has."""


class Renderer:
    """Renders messages in one language or several; where one lacks a text, the default or the English one stands in.

    Of `template_dirs` the first that has a file wins; the last is our own, and its files can also be named
    `default/<name>`, so that a country's `layout.html` can extend ours. A language's own `<name>.fr.html` wins over
    `<name>.html`. Variables that wording and templates have beside those of the caller: applicationName, loginURL and
    completeSetupUrl (the same), clientAppUrl, countryLogo (an address). A caller's variable of the same name goes
    before. An empty `name` is the wording with the id in `unnamed`. Templates are read once, here:
    as the words are, they stay what they were when they were looked over. Safe to share between threads.
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
        self._directories = tuple(template_dirs)
        self._environment = _environment(template_dirs)
        self._environment.globals["look"] = look
        self._inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
        self._logo = logo
        self._always = _always(names, logo)
        self._replies = names.replies

    @property
    def always(self) -> Mapping[str, str]:
        """The variables that every message has."""
        return self._always

    @property
    def environment(self) -> Environment:
        """What the templates are made with."""
        return self._environment

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
        return self.finished(message, pages)

    def finished(self, message: str, pages: Sequence[Page]) -> RenderedEmail:
        """One e-mail of the pages of a message; those that say the same are one. Raises MessageError."""
        inlined = [self.inlined(message, html) for html in dict.fromkeys(page.html for page in pages)]
        html = joined_pages(inlined)
        image = self._logo.image
        return RenderedEmail(
            subject=" / ".join(dict.fromkeys(page.subject for page in pages)),
            html=html,
            text=_BETWEEN_LANGUAGES.join(plain_text(page) for page in inlined),
            images=(image,) if image is not None and image.content_id in html else (),
        )

    def inlined(self, message: str, html: str) -> str:
        """The same with its styles in its elements. Raises MessageError."""
        try:
            return self._inliner.inline(html)
        except css_inline.InlineError as error:
            raise CannotRender(message, f"its styles cannot be used: {error}") from error

    def sms(self, text_id: str, variables: Mapping[str, str], *languages: str) -> str:
        """Fill the wording. Raises MessageError."""
        texts = [
            self._translations.filled(text_id, language, self._given(variables, language), escape=False)
            for language in self._spoken(text_id, languages)
        ]
        return "\n".join(dict.fromkeys(texts))

    def _spoken(self, text_id: str, languages: Sequence[str]) -> list[str]:
        """The languages that have this text, each once; the first one, where another has to stand in for all."""
        there = [one for one in languages if self._translations.language_of(text_id, one) in (one, base_of(one))]
        return list(dict.fromkeys(there)) or list(languages[:1])

    def page(self, message: str, variables: Mapping[str, str], language: str, *, first: bool = True) -> Page:
        """The HTML in one language, before its styles are moved into its elements. Raises MessageError."""
        everything = self._given(variables, language)
        subject = self.subject(message, variables, language)
        # Where our texts do not speak the language, the reader's software must not be told that they do.
        spoken = self._translations.language_of(f"{message}.subject", language)
        this = This(message, subject, spoken, _direction(spoken), first, self._logo.shown, self._replies)
        context = {**everything, "this": this, "t": self._lookup(language, everything)}
        return Page(subject, self._html(message, language, context))

    def subject(self, message: str, variables: Mapping[str, str], language: str) -> str:
        """Raises MessageError."""
        everything = self._given(variables, language)
        return one_line(self._translations.filled(f"{message}.subject", language, everything, escape=False))

    def file_of(self, message: str, language: str) -> str:
        """The path of the template that a message has in a language; where it should be, if it has none."""
        paths = [directory / name for name in _templates(message, language) for directory in self._directories]
        missing = self._directories[0] / f"{message}.html"
        return str(next((path for path in paths if os.path.isfile(path)), missing))  # noqa: PTH113  never raises

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
        except TemplatesNotFound as error:
            raise CannotRender(message, "there is no such template") from error
        except TemplateSyntaxError as error:
            raise CannotRender(message, f"{error.name}, line {error.lineno}: {error.message}") from error
        except TemplateError as error:
            raise CannotRender(message, f"{type(error).__name__}: {error.message}") from error
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


def template_place(error: BaseException) -> TemplatePlace | None:
    """Which line of which template an error came out of; None where it was none."""
    cause = error.__cause__
    if isinstance(cause, TemplateSyntaxError) and cause.filename:
        return TemplatePlace(cause.filename, cause.lineno)
    frames = [*traceback.walk_tb(error.__traceback__), *traceback.walk_tb(cause.__traceback__ if cause else None)]
    places = [(frame.f_code.co_filename, line) for frame, line in frames if "__jinja_exception__" in frame.f_globals]
    return TemplatePlace(*places[-1]) if places else None


def _templates(message: str, language: str) -> list[str]:
    """The files that will do, the best one first."""
    known = INFORMANT_MESSAGES.get(message)
    names = (message, *(known.shared if known is not None else ()))
    endings = dict.fromkeys([f".{language}.html", f".{base_of(language)}.html", ".html"])
    return [f"{name}{ending}" for name in names for ending in endings]


def paragraphs(text: str) -> list[list[str]]:
    """A template filter: plain text as paragraphs, which blank lines part, each a list of lines."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    return [part.split("\n") for part in _BLANK_LINES.split(lines)]


def _environment(template_dirs: Sequence[Path]) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=TemplateFiles(template_dirs),
        auto_reload=False,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["paragraphs"] = paragraphs
    return environment


def _direction(language: str) -> str:
    return "rtl" if base_of(language).lower() in _RIGHT_TO_LEFT else "ltr"
