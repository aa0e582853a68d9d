"""The plain text part of an e-mail, out of its HTML part."""

from __future__ import annotations

import re
from copy import copy
from html import unescape
from typing import Any

from inscriptis import Inscriptis
from inscriptis.css_profiles import STRICT_CSS_PROFILE
from inscriptis.html_properties import Display, WhiteSpace
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement
from lxml import etree
from lxml.html import HTMLParser, document_fromstring

_INDENTED = 4
_CSS = STRICT_CSS_PROFILE | {
    # A code or a password is copied out of the text: its spaces are its own.
    "code": HtmlElement(display=Display.block, whitespace=WhiteSpace.pre, padding_inline=_INDENTED),
    "blockquote": HtmlElement(display=Display.block, padding_inline=_INDENTED, margin_before=1, margin_after=1),
}
_INDENTING = tuple(tag for tag, style in _CSS.items() if style.padding_inline)
_TABLE = ("table", "thead", "tbody", "tfoot", "tr", "caption")
# Of inline styles only what shows in a text, and no length that would fill the memory with blanks.
_STYLE = re.compile(r"(?:display|white-space)\s*:\s*[a-z-]+|margin-(?:top|bottom)\s*:\s*\d{1,2}px", re.IGNORECASE)
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_MANY_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")

# Nobody reads more as text, and a hostile page must not hold up the messages behind it.
_LONGEST = 500_000
_CUT = "\n\n[…]"
_DEEPEST_INDENTATION = 8

Element = Any  # lxml has no types


def plain_text(html: str) -> str:
    """Readable text with the targets of its links; hidden elements are left out. Any HTML will do, nothing raises.

    Of HTML beyond half a million characters only the beginning is read, and the text ends with `[…]`.
    """
    text = _converted(_NOT_IN_XML.sub("", html[:_LONGEST]).encode("utf-8", "replace").decode("utf-8"))
    text = _MANY_BLANK_LINES.sub("\n\n", text).strip("\n")
    return text + (_CUT if len(html) > _LONGEST else "") + "\n"


def _converted(html: str) -> str:
    # inscriptis resolves entities once more in what the parser has resolved: `&amp;lt;` would arrive as `<`, and the
    # password `a&copy` as `a©`. So the parser gets none to resolve.
    source = html.replace("&", "&amp;").encode()
    try:
        tree = document_fromstring(source, parser=HTMLParser(encoding="utf-8", huge_tree=True))
    except etree.ParserError:  # there is nothing in it
        return ""
    for element in tree.iter("*"):
        if "style" in element.attrib:
            element.set("style", ";".join(_STYLE.findall(element.get("style"))))
    for cells in _cells_by_table(tree):
        _flatten(cells)
    for element in list(tree.iter(*_TABLE)):
        element.tag = "div"
    _limit_indentation(tree)
    _show_targets(tree)
    try:
        return str(Inscriptis(tree, ParserConfig(css=_own_css())).get_text())
    except RecursionError:
        etree.strip_elements(tree, "head", "style", "script", with_tail=False)
        return unescape("".join(tree.itertext()))


def _own_css() -> dict[str, Any]:
    """inscriptis (2.7) writes where the text goes to into the style of the body, and copies all other styles: shared by
    two threads, one message's text would stand in the other's."""
    return {**_CSS, "body": copy(_CSS["body"])}


def _cells_by_table(tree: Element) -> list[list[Element]]:
    """The cells of each table, without those of the tables inside it."""
    found, outer = [], []
    cells: list[Element] = []
    for event, element in etree.iterwalk(tree, ("start", "end"), ("table", "td", "th")):
        if element.tag != "table":
            if event == "start":
                cells.append(element)
        elif event == "start":
            outer.append(cells)
            cells = []
        else:
            found.append(cells)
            cells = outer.pop()
    return found


def _flatten(cells: list[Element]) -> None:
    """A table without headings is there for the looks: its cells are blocks like others. In one with them, a row is
    a line, since columns would not stand below each other in the letters of most mail programs.
    """
    holds_data = any(cell.tag == "th" for cell in cells)
    for cell in cells:
        cell.tag = "span" if holds_data else "div"
        if holds_data and cell.getnext() is not None:
            cell.tail = " | "


def _limit_indentation(tree: Element) -> None:
    """No deeper than anybody can read: every line would repeat its blanks."""
    depth, too_deep = 0, []
    for event, element in etree.iterwalk(tree, ("start", "end"), _INDENTING):
        depth += 1 if event == "start" else -1
        if event == "start" and depth > _DEEPEST_INDENTATION:
            too_deep.append(element)
    for element in too_deep:
        element.tag = "div"


def _show_targets(tree: Element) -> None:
    """Behind a link comes its target, unless that can be read somewhere in the text anyway."""
    links = list(tree.iter("a"))
    readable = {_text_of(link) for link in links}
    for link in links:
        target = link.get("href", "").strip()
        if ":" in target and target.removeprefix("mailto:") not in readable:
            shown = f": {target}" if _stands_alone(link) else f" &lt;{target}&gt;"
            link.tail = shown + (link.tail or "")


def _stands_alone(link: Element) -> bool:
    beside = f"{link.getparent().text or ''}{link.tail or ''}".strip()
    return not beside and link.getprevious() is None and link.getnext() is None


def _text_of(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())
