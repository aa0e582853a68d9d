"""Whether HTML is closed as it is opened, and what is missing in it for those who do not see pictures."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser

_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
# The HTML standard lets these end by themselves.
_MAY_STAY_OPEN = frozenset(
    ("p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "option", "html", "head", "body")
)


@dataclass(frozen=True)
class MarkupProblem:
    """`line` counts from 1."""

    line: int
    what: str


def markup_problems(html: str) -> list[MarkupProblem]:
    """Elements that are closed and not open, or open and never closed; pictures without a text; unfinished tags."""
    reader = _Reader()
    try:
        reader.feed(html)
        unfinished, line = reader.rawdata.strip(), reader.getpos()[0]
        if unfinished.startswith("<"):
            what = f"“{unfinished[:20]}” never ends: a > or a quotation mark is missing"
            return [*reader.problems, MarkupProblem(line, what)]
        reader.close()
    except AssertionError:  # what the standard library says to a broken <![
        return [*reader.problems, MarkupProblem(reader.getpos()[0], "a <! has no sense and no end")]
    for tag, opened in reader.open:
        if tag not in _MAY_STAY_OPEN:
            reader.problems.append(MarkupProblem(opened, f"<{tag}> is never closed"))
    return reader.problems


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, int]] = []
        self.problems: list[MarkupProblem] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line = self.getpos()[0]
        if tag == "img" and not any(name == "alt" for name, _ in attrs):
            self.problems.append(
                MarkupProblem(line, '<img> has no alt="..." that says what it shows (alt="" for decoration)')
            )
        if tag not in _VOID:
            self.open.append((tag, line))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Only drawings know elements that close themselves: to a browser, `<b/>` is `<b>`."""
        self.handle_starttag(tag, attrs)
        if any(name in ("svg", "math") for name, _ in self.open):
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        line = self.getpos()[0]
        if tag not in (name for name, _ in self.open):
            self.problems.append(MarkupProblem(line, f"</{tag}> closes what was never opened"))
            return
        while self.open:
            name, opened = self.open.pop()
            if name == tag:
                return
            if name not in _MAY_STAY_OPEN:
                self.problems.append(MarkupProblem(opened, f"<{name}> is not closed before </{tag}>"))
