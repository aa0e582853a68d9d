"""Whether the colours of look.toml can be read on each other, by day and by night."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from app.notifications import look
from app.notifications.checks.contrast import ENOUGH, Colour, as_hex, colour_of, contrast
from app.notifications.checks.problems import Problem, flaw
from app.notifications.look import Look, Palette

# What the layout and its parts write, and on what.
WRITTEN_ON = {
    "text": ("card", "box"),
    "quiet": ("card", "box"),
    "heading": ("card", "box"),
    "band_text": ("band",),
    "accent": ("card",),
    "accent_text": ("accent",),
}
_STEPS = 50


def too_close(palette: Palette) -> Iterator[tuple[str, str]]:
    """The names of the colours whose contrast is not enough, what is written and what is behind it."""
    for written, behind_it in WRITTEN_ON.items():
        for behind in behind_it:
            if contrast(_parsed(palette[written]), _parsed(palette[behind])) < ENOUGH:
                yield written, behind


def problems(colours: Look, directories: Sequence[Path]) -> Iterator[Problem]:
    """`directories` are those of the templates, our own last."""
    paths = [directory / look.FILE for directory in directories]
    file = next((path for path in paths if os.path.exists(path)), paths[0])  # noqa: PTH110  never raises
    for name, palette in (("light", colours.light), ("dark", colours.dark)):
        for written, pairs in groupby(too_close(palette), key=lambda pair: pair[0]):
            front = _parsed(palette[written])
            faint_on = [behind for _, behind in pairs]
            on = " and ".join(
                f"{behind} {palette[behind]} ({contrast(front, _parsed(palette[behind])):.1f})" for behind in faint_on
            )
            what = f"[{name}] {written} {palette[written]} is hard to read on {on}: a contrast of {ENOUGH:g} is enough"
            shade = _readable(front, [_parsed(palette[behind]) for behind in WRITTEN_ON[written]])
            lighter = f"make {' and '.join(faint_on)} lighter or darker"
            cure = f'{written} = "{as_hex(shade)}" can be read there' if shade else lighter
            yield flaw(file, None, what, cure)


def _readable(front: Colour, backs: Sequence[Colour]) -> Colour | None:
    """The nearest shade of `front` that can be read on all, darker or lighter; None where there is none."""
    shades = (_between(front, end, step / _STEPS) for step in range(_STEPS + 1) for end in ((0, 0, 0), (255, 255, 255)))
    return next((shade for shade in shades if all(contrast(shade, back) >= ENOUGH for back in backs)), None)


def _between(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(start + (stop - start) * share) for start, stop in zip(one, other, strict=True))
    return red, green, blue


def _parsed(colour: str) -> Colour:
    return colour_of(colour) or (0, 0, 0)
