"""Whether text can be read: the contrast of each text of an e-mail with what is behind it (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from lxml.html import document_fromstring

ENOUGH = 4.5
ENOUGH_IF_LARGE = 3.0  # from 24 px, or from 18.66 px where it is bold

_DECLARATION = re.compile(r"([a-z-]+)\s*:\s*([^;]+)", re.IGNORECASE)
_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})\b", re.IGNORECASE)
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})\s*(?:[,/]\s*([\d.]+%?))?\s*\)", re.IGNORECASE)
_SIZE = re.compile(r"(?<![\w/])(\d+(?:\.\d+)?)px")
_BOLD = re.compile(r"\b(bold|bolder|[6-9]00)\b", re.IGNORECASE)
_NAMED = {
    "white": (255, 255, 255), "black": (0, 0, 0), "gray": (128, 128, 128), "grey": (128, 128, 128),
    "silver": (192, 192, 192), "red": (255, 0, 0), "maroon": (128, 0, 0), "green": (0, 128, 0), "blue": (0, 0, 255),
    "navy": (0, 0, 128), "yellow": (255, 255, 0), "orange": (255, 165, 0), "teal": (0, 128, 128),
}  # fmt: skip
_UNSEEN = {"head", "style", "script", "title"}
_BOLD_TAGS = {"b", "strong", "th", "h1", "h2", "h3", "h4", "h5", "h6"}
_HEADINGS = {"h1": 32.0, "h2": 24.0, "h3": 18.7, "h4": 16.0, "h5": 13.3, "h6": 10.7}  # px, as browsers have them

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class TooFaint:
    """A text that is hard to read; `ratio` is what its contrast is, `enough` what it should be at least."""

    text: str
    colour: str
    behind: str
    ratio: float
    enough: float


@dataclass(frozen=True)
class _Style:
    """What an element has of its own and of those around it; None where it cannot be told."""

    colour: Colour | None = (0, 0, 0)
    behind: Colour | None = (255, 255, 255)
    size: float = 16.0
    bold: bool = False


def contrast(one: Colour, other: Colour) -> float:
    """From 1 (the same) to 21 (black on white), as WCAG defines it."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def colour_of(text: str) -> Colour | None:
    """Of `#rgb`, `#rrggbb`, `rgb(...)` and the commonest names; None for others, and where one can see through."""
    text = text.strip().lower()
    if found := _HEX.search(text):
        digits = found.group(1)
        digits = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if (found := _RGB.search(text)) and found.group(4) in (None, "1", "100%", "1.0"):
        red, green, blue = (min(255, int(found.group(part))) for part in (1, 2, 3))
        return red, green, blue
    return next((_NAMED[word] for word in re.findall(r"[a-z]+", text) if word in _NAMED), None)


def too_faint(html: str) -> list[TooFaint]:
    """Each pair of colours that is too close, once, with the first text that has it. Styles are those in elements.

    Backgrounds that are pictures or gradients are not judged.
    """
    found: dict[tuple[Colour, Colour], TooFaint] = {}
    for text, style in _texts(document_fromstring(html), _Style()):
        if style.colour is None or style.behind is None:
            continue
        large = style.size >= 24 or (style.bold and style.size >= 18.66)
        enough = ENOUGH_IF_LARGE if large else ENOUGH
        ratio = contrast(style.colour, style.behind)
        if ratio < enough:
            said = TooFaint(
                " ".join(text.split())[:40], _hex(style.colour), _hex(style.behind), round(ratio, 1), enough
            )
            found.setdefault((style.colour, style.behind), said)
    return list(found.values())


def _texts(element: Any, around: _Style) -> Iterator[tuple[str, _Style]]:
    """Every text that is shown, with its style. Iterates, since elements may be nested deeply."""
    pending = [(element, around)]
    while pending:
        current, outer = pending.pop()
        if not isinstance(current.tag, str) or current.tag in _UNSEEN:
            continue
        style, is_shown = _styled(current, outer)
        if not is_shown:
            continue
        if current.text and current.text.strip():
            yield current.text, style
        for child in current:
            if child.tail and child.tail.strip():
                yield child.tail, style
            pending.append((child, style))


def _styled(element: Any, around: _Style) -> tuple[_Style, bool]:
    style = around
    if element.tag in _BOLD_TAGS:
        style = replace(style, bold=True, size=_HEADINGS.get(element.tag, style.size))
    if element.tag == "a" and element.get("href"):
        style = replace(style, colour=(0, 0, 238))
    if element.get("bgcolor"):
        style = replace(style, behind=colour_of(element.get("bgcolor")))
    if element.tag == "font" and element.get("color"):
        style = replace(style, colour=colour_of(element.get("color")))
    shown = True
    for name, value in _DECLARATION.findall(element.get("style", "")):
        match name.lower():
            case "color":
                style = replace(style, colour=style.colour if "inherit" in value else colour_of(value))
            case "background-color" | "background":
                style = replace(style, behind=_behind(value, style.behind))
            case "font-size" | "font":
                if size := _SIZE.search(value):
                    style = replace(style, size=float(size.group(1)))
                if name.lower() == "font":
                    style = replace(style, bold=bool(_BOLD.search(value)))
            case "font-weight":
                style = replace(style, bold=bool(_BOLD.search(value)))
            case "display" if value.strip().lower() == "none":
                shown = False
    return style, shown


def _behind(value: str, around: Colour | None) -> Colour | None:
    if "gradient" in value or "url(" in value:
        return None
    if re.search(r"\b(transparent|inherit|none|initial)\b", value):
        return around
    return colour_of(value)


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (c / 255 for c in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
