"""A country's directory with a few files in it, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from app.country import Country
from app.notifications import logo, look
from app.notifications.catalogue import Message
from app.notifications.checks.messages import Rehearsed, check
from app.notifications.checks.problems import Problem
from app.notifications.render import Names, Renderer
from app.notifications.sample import Sample
from app.notifications.translations import Translations
from app.settings import LogoMode
from app.triggers.catalogue import trigger_types
from app.triggers.rehearsal import samples
from tests.notifications.rendering import LOGIN, ROOT

Files = Mapping[str, str | bytes]
Check = Callable[..., list[Problem]]

ALL = samples(trigger_types(Country()).values())
FEW = [sample for sample in ALL if sample.message.name in ("2fa", "birth-registered")]
_OWN = Sample(Message("discharge", "discharge.sms"), {"ward": "Maternity"})


def checked(
    *countries: Path,
    required: Sequence[str] = ("en",),
    default: str = "en",
    few: Sequence[Sample] = FEW,
    mode: LogoMode = LogoMode.EMBEDDED,
) -> list[Problem]:
    """What is said of a country's directory, laid over ours. Only a `few` messages are made, to be quick."""
    places = [*countries, ROOT]
    directories = [place / "templates" / "email" for place in places]

    def renderer(words: Translations) -> Renderer:
        names = Names("OpenCRVS", LOGIN, "https://register.farajaland.test")
        return Renderer(
            directories, words, look.load(directories), logo.load(directories, mode, "https://x.test"), names
        )

    channels = {sample.message.name: {"email", "sms"} for sample in few}
    every = {sample.message.name: sample for sample in (*ALL, *few)}
    rehearsed = [Rehearsed(sample, channels.get(name, set())) for name, sample in every.items()]
    return check(places, rehearsed, renderer, required, default)


@pytest.fixture(scope="session")
def usual() -> list[Problem]:
    """What is said of our own messages."""
    return checked()


@pytest.fixture
def country(tmp_path: Path) -> Callable[[Files], Path]:
    """Write files by their paths within the country's directory."""

    def write(files: Files) -> Path:
        directory = tmp_path / "country"
        directory.mkdir()
        for name, content in files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return directory

    return write


@pytest.fixture
def said(country: Callable[[Files], Path], usual: list[Problem]) -> Check:
    """What is said of a country with these files, beside what is said of ours."""

    def look_at(files: Files, **how: object) -> list[Problem]:
        return [one for one in checked(country(files), **how) if one not in usual]  # type: ignore[arg-type]

    return look_at


@pytest.fixture
def own() -> list[Sample]:
    """The samples of a country that has a message of its own, `discharge`."""
    return [*FEW, _OWN]
