"""What variables can be, where it is one of several words or more than a text."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class InvalidSettings(Exception):
    """The environment does not make a working server; `problems` names each one with its cure."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("The settings do not work yet:\n" + "\n".join(f"  - {problem}" for problem in problems))


class AppEnv(StrEnum):
    """What this server is run for: it decides what may be left out and what is shown."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"
    TEST = "test"


class StartTls(StrEnum):
    """SMTP_STARTTLS: whether the connection to the mail server must, may or may not be encrypted."""

    REQUIRE = "require"
    AUTO = "auto"
    NEVER = "never"


class LogoMode(StrEnum):
    """EMAIL_LOGO: how the country's logo comes into e-mails."""

    EMBEDDED = "embedded"  # goes along, where there is one
    LINKED = "linked"  # fetched from the country config server, if the reader's program allows that
    NONE = "none"


@dataclass(frozen=True)
class Credentials:
    """The client id and secret of an integration at core. `sha_secret` is core's own, "" where a country sets them."""

    client_id: str
    client_secret: str = field(repr=False)
    sha_secret: str = field(default="", repr=False)


@dataclass(frozen=True)
class Integration:
    """A system that may call core, with the scopes that it gets there.

    With `credentials`, core (from 2.1) gives it these; without, core makes some.
    """

    name: str
    scopes: tuple[str, ...]
    credentials: Credentials | None = None
