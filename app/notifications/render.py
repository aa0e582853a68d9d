"""Messages as they go out: wording and layout put together."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import css_inline
from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from app.notifications.email.mime import one_line
from app.notifications.email.plain_text import plain_text
from app.notifications.errors import MessageError
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
    """The subject is one line; the HTML has its styles inside its elements and needs nothing from outside."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True)
class This:
    """What a template knows of its e-mail, under the name `this`. `direction` is `ltr` or `rtl`."""

    message: str
    subject: str
    language: str
    direction: str


class Renderer:
    """Renders messages in a language; where that lacks a text, the default language's or the English one stands in.

    Of `template_dirs` the first that has a file wins; the last is our own, and its files can also be named
    `default/<name>`, so that a country's `layout.html` can extend ours. Variables that wording and templates have
    beside those of the caller: applicationName, loginURL and completeSetupUrl (the same), clientAppUrl, countryLogo (an
    address). A caller's variable of the same name goes before. Safe to share between threads.
    """

    def __init__(
        self,
        template_dirs: Sequence[Path],
        translations: Translations,
        *,
        application_name: str,
        login_url: str,
        client_app_url: str,
        country_config_url: str,
    ) -> None:
        self._translations = translations
        self._environment = _environment(template_dirs)
        self._inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
        self._always = {
            "applicationName": application_name,
            "loginURL": login_url,
            "completeSetupUrl": login_url,
            "clientAppUrl": client_app_url,
            "countryLogo": f"{country_config_url.rstrip('/')}/content/country-logo",
        }

    @property
    def languages(self) -> tuple[str, ...]:
        """Those in which there is any text."""
        return self._translations.languages

    def email(self, message: str, variables: Mapping[str, str], language: str) -> RenderedEmail:
        """Render `<message>.html`, with the wording `<message>.subject` as its subject. Raises MessageError."""
        everything = {**self._always, **variables}
        subject = one_line(self._translations.filled(f"{message}.subject", language, everything, escape=False))
        # Where our texts do not speak the language, the reader's software must not be told that they do.
        spoken = self._translations.language_of(f"{message}.subject", language)
        this = This(message, subject, spoken, _direction(spoken))
        html = self._html(message, {**everything, "this": this, "t": self._lookup(language, everything)})
        return RenderedEmail(subject, self._inliner.inline(html), plain_text(html))

    def sms(self, text_id: str, variables: Mapping[str, str], language: str) -> str:
        """Fill the wording. Raises MessageError."""
        return self._translations.filled(text_id, language, {**self._always, **variables}, escape=False)

    def _html(self, message: str, context: Mapping[str, object]) -> str:
        try:
            return self._environment.get_template(f"{message}.html").render(context)
        except MessageError:
            raise
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
