"""How e-mails look: named colours in `templates/email/look.toml`, a country's laid over ours key by key."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from app.notifications.faults import Fault, UnusableFile

FILE = "look.toml"
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_PALETTES = ("light", "dark")
_LINE = re.compile(r"\(at line (\d+)")

Palette = Mapping[str, str]
"""Colours as #rrggbb, by their names."""


class BadLook(UnusableFile):
    """A look.toml that cannot be used."""


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
    colours = {palette: dict(ours) for palette, ours in _read(directories[-1] / FILE).items()}
    for directory in reversed(directories[:-1]):
        if os.path.exists(directory / FILE):  # noqa: PTH110  never raises
            for palette, changes in _read(directory / FILE, known=colours).items():
                colours[palette] |= changes
    return Look(**colours)


def _read(path: Path, known: Mapping[str, Palette] | None = None) -> dict[str, Palette]:
    """By the names of the palettes. `known` are the keys that there may be; None for any."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        found = tomllib.loads(text)
    except OSError as error:
        raise BadLook(path, [Fault(f"cannot be read: {error.strerror}", "let the server read it")]) from None
    except UnicodeDecodeError:
        raise BadLook(path, [Fault("is not UTF-8", "save it as UTF-8")]) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        at = _LINE.search(str(error))
        cure = 'write each colour in a line of its own, like text = "#17365d", below [light] or [dark]'
        raise BadLook(path, [Fault(f"cannot be understood: {error}", cure, int(at.group(1)) if at else None)]) from None
    faults = list(_faults(found, known, text))
    if faults:
        raise BadLook(path, faults)
    return found


def _faults(found: Mapping[str, object], known: Mapping[str, Palette] | None, text: str) -> Iterator[Fault]:
    for palette, colours in found.items():
        if palette not in _PALETTES or not isinstance(colours, dict):
            cure = "put it below [light] or [dark]; there is nothing else"
            yield Fault(f"has {palette} outside of the two palettes", cure, _line_of(palette, None, text))
            continue
        for name, colour in colours.items():
            line = _line_of(name, palette, text)
            if known is not None and name not in known[palette]:
                close = get_close_matches(name, known[palette], n=1)
                cure = f"did you mean {close[0]}?" if close else f"there are {', '.join(known[palette])}"
                yield Fault(f"has {name} in [{palette}], which is none of the colours", cure, line)
            elif not isinstance(colour, str) or not _COLOUR.fullmatch(colour):
                cure = 'write it like "#17365d": # and six digits or letters from a to f'
                yield Fault(f"has {colour!r} for {name} in [{palette}], which is no colour", cure, line)


def _line_of(key: str, palette: str | None, text: str) -> int | None:
    """Of a key below the head of a palette, or of the head itself; None where it is written in another way."""
    below = None
    for number, line in enumerate(text.splitlines(), start=1):
        start = line.partition("=")[0].partition("#")[0].strip()
        if start.startswith("["):
            below = start.strip("[] ")
            start = below if palette is None else ""
        if start.strip("\"'") == key and (palette is None or below == palette):
            return number
    return None
