"""Whether the colours of look.toml can be read on each other, by day and by night."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.notifications import look
from app.notifications.checks.contrast import ENOUGH, Colour, as_hex, colour_of, contrast
from app.notifications.checks.problems import Problem, error
from app.notifications.look import Look, Palette

# What the layout and its parts write on what.
PAIRS = (
    ("text", "card"),
    ("text", "box"),
    ("quiet", "card"),
    ("quiet", "box"),
    ("heading", "card"),
    ("heading", "box"),
    ("band_text", "band"),
    ("accent", "card"),
    ("accent_text", "accent"),
)
_STEPS = 50


def too_close(palette: Palette) -> Iterator[tuple[str, str]]:
    """The names of the pairs whose contrast is not enough."""
    for written, behind in PAIRS:
        if contrast(_parsed(palette[written]), _parsed(palette[behind])) < ENOUGH:
            yield written, behind


def problems(colours: Look, directories: Sequence[Path]) -> Iterator[Problem]:
    """Pairs that are too close. `directories` are those of the templates, our own last."""
    paths = [directory / look.FILE for directory in directories]
    file = next((path for path in paths if os.path.exists(path)), paths[0])  # noqa: PTH110  never raises
    for palette_name, palette in (("light", colours.light), ("dark", colours.dark)):
        for written, behind in too_close(palette):
            front, back = _parsed(palette[written]), _parsed(palette[behind])
            what = (
                f"[{palette_name}] {written} {palette[written]} on {behind} {palette[behind]} is hard to read: "
                f"a contrast of {contrast(front, back):.1f}, where {ENOUGH:g} is enough"
            )
            yield error(file, None, what, f'{written} = "{as_hex(_readable(front, back))}" can be read there')


def _readable(front: Colour, back: Colour) -> Colour:
    """The shade nearest to `front` that can be read: darker or lighter, whichever `back` leaves more room for."""
    black, white = (0, 0, 0), (255, 255, 255)
    end = max((black, white), key=lambda one: contrast(one, back))
    shades = (_between(front, end, step / _STEPS) for step in range(_STEPS + 1))
    return next((shade for shade in shades if contrast(shade, back) >= ENOUGH), end)


def _between(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(start + (stop - start) * share) for start, stop in zip(one, other, strict=True))
    return red, green, blue


def _parsed(colour: str) -> Colour:
    return colour_of(colour) or (0, 0, 0)
