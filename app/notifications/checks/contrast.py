"""Whether text can be read: the contrast of each text of an e-mail with what is behind it (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree
from lxml.html import HTMLParser, document_fromstring

ENOUGH = 4.5
ENOUGH_IF_LARGE = 3.0  # from 24 px, or from 18.66 px where it is bold

_DECLARATION = re.compile(r"(?<![a-z-])([a-z-]++)\s*+:\s*([^;]+)", re.IGNORECASE)
_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})\b", re.IGNORECASE)
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})\s*(?:[,/]\s*([\d.]+%?))?\s*\)", re.IGNORECASE)
_SIZE = re.compile(r"(?<![\w./])(\d+(?:\.\d+)?)(px|pt|em|rem|%)", re.IGNORECASE)
_BOLD = re.compile(r"\b(bold|bolder|[6-9]00)\b", re.IGNORECASE)
_HIDING = re.compile(r"\s*(?:none|hidden|0(?:\.0*)?)\s*(?:!|$)", re.IGNORECASE)
_NAMED = {  # the sixteen of HTML 4, and other greys
    "white": (255, 255, 255), "black": (0, 0, 0), "gray": (128, 128, 128), "silver": (192, 192, 192),
    "red": (255, 0, 0), "maroon": (128, 0, 0), "yellow": (255, 255, 0), "olive": (128, 128, 0),
    "lime": (0, 255, 0), "green": (0, 128, 0), "aqua": (0, 255, 255), "teal": (0, 128, 128),
    "blue": (0, 0, 255), "navy": (0, 0, 128), "fuchsia": (255, 0, 255), "purple": (128, 0, 128),
    "whitesmoke": (245, 245, 245), "gainsboro": (220, 220, 220), "lightgray": (211, 211, 211),
    "darkgray": (169, 169, 169), "dimgray": (105, 105, 105), "slategray": (112, 128, 144),
}  # fmt: skip
_UNSEEN = {"head", "style", "script", "title"}
_BOLD_TAGS = {"b", "strong", "th", "h1", "h2", "h3", "h4", "h5", "h6"}
_HEADINGS = {"h1": 32.0, "h2": 24.0, "h3": 18.7, "h4": 16.0, "h5": 13.3, "h6": 10.7}  # px, as browsers have them

Colour = tuple[int, int, int]
Element = Any  # lxml has no types


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
    words = re.findall(r"[a-z]+", text.replace("grey", "gray"))
    return next((_NAMED[word] for word in words if word in _NAMED), None)


def too_faint(html: str) -> list[TooFaint]:
    """Each pair of colours that is too close, once, with the first text that has it. Styles are those in elements.

    Backgrounds that are pictures or gradients are not judged.
    """
    found: dict[tuple[Colour, Colour], TooFaint] = {}
    page = _parsed(html)
    for text, style in () if page is None else _texts(page, _Style()):
        if style.colour is None or style.behind is None:
            continue
        large = style.size >= 24 or (style.bold and style.size >= 18.66)
        enough = ENOUGH_IF_LARGE if large else ENOUGH
        ratio = contrast(style.colour, style.behind)
        if ratio < enough:
            beginning = " ".join(text.split())[:40]
            rounded = int(ratio * 10) / 10  # 4.49 is not 4.5
            said = TooFaint(beginning, as_hex(style.colour), as_hex(style.behind), rounded, enough)
            found.setdefault((style.colour, style.behind), said)
    return list(found.values())


def _parsed(html: str) -> Element | None:
    """None where there is nothing in it."""
    octets = html.replace("\0", "").encode("utf-8", "replace")
    try:
        return document_fromstring(octets, parser=HTMLParser(encoding="utf-8", huge_tree=True))
    except etree.ParserError:
        return None


def _texts(element: Element, around: _Style) -> Iterator[tuple[str, _Style]]:
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
        pending += [(child, style) for child in reversed(current)]


def _styled(element: Element, around: _Style) -> tuple[_Style, bool]:
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
            case "font":
                style = replace(style, size=_size(value, around.size), bold=bool(_BOLD.search(value)))
            case "font-size":
                style = replace(style, size=_size(value, around.size))
            case "font-weight":
                style = replace(style, bold=bool(_BOLD.search(value)))
            case "display" | "visibility" | "opacity":
                shown = shown and not _HIDING.match(value)
    return style, shown


def _size(value: str, around: float) -> float:
    """In px; what cannot be told is as around it."""
    found = _SIZE.search(value)
    if found is None:
        return around
    of = {"px": 1.0, "pt": 4 / 3, "em": around, "rem": 16.0, "%": around / 100}
    return float(found.group(1)) * of[found.group(2).lower()]


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


def as_hex(colour: Colour) -> str:
    """As `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
