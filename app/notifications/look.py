"""How e-mails look: named colours in `templates/email/look.toml`, a country's laid over ours key by key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.notifications.errors import MessageError

FILE = "look.toml"
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_PALETTES = ("light", "dark")

Palette = Mapping[str, str]
"""Colours as #rrggbb, by their names."""


class BadLook(MessageError):
    """A look.toml that cannot be used."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"{path}: {problem}")


@dataclass(frozen=True)
class Look:
    """The colours for readers who read dark on light, and for those who read light on dark."""

    light: Palette
    dark: Palette

    def __getitem__(self, name: str) -> str:
        return self.light[name]


def load(directories: Sequence[Path]) -> Look:
    """The look.toml of several template directories: the first that has a key wins, the last, ours, has all.

    Raises BadLook.
    """
    ours = _read(directories[-1] / FILE)
    colours = {palette: dict(ours[palette]) for palette in _PALETTES}
    for directory in reversed(directories[:-1]):
        if (directory / FILE).exists():
            for palette, changes in _read(directory / FILE, known=colours).items():
                colours[palette] |= changes
    return Look(**colours)


def _read(path: Path, known: Mapping[str, Palette] | None = None) -> dict[str, dict[str, str]]:
    """By the names of the palettes. `known` are the keys that there may be; None for any."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadLook(path, f"this is no TOML: {error}") from None
    for palette, colours in found.items():
        if palette not in _PALETTES or not isinstance(colours, dict):
            raise BadLook(path, f"there is [light] and [dark], not {palette}")
        for name, colour in colours.items():
            if known is not None and name not in known[palette]:
                raise BadLook(path, f"[{palette}] has no {name}; it has {', '.join(known[palette])}")
            if not isinstance(colour, str) or not _COLOUR.fullmatch(colour):
                raise BadLook(path, f'{name} in [{palette}] is written like "#17365d", with six digits')
    return found
