"""Handlebars templates as far as messages need them: text, variables, `{{#if}}` and comments.

These are read as Handlebars 4 reads them, backslashes included. What a template has beyond them is named with its
place, and never guessed at.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from textwrap import shorten

from app.notifications.handlebars_beyond import beyond

SPACE = "[\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
"""A pattern: one character of white space as JavaScript has it."""

_NAME = f'([^{SPACE[1:-1]}!"#%-,./;->@\\[-\\^`{{-~]+)'
_TAG = re.compile(r"\{\{(?P<before>~?)(?P<inner>\{[^{}]*\}|[^{}]*?)(?P<after>~?)\}\}")
_LONG_COMMENT = re.compile(r"\{\{(?P<before>~?)!(?=--)(?P<said>.*?)--(?P<after>~?)\}\}", re.DOTALL)
_COMMENT = re.compile(r"\{\{(?P<before>~?)!(?P<said>.*?)(?P<after>~?)\}\}", re.DOTALL)
_UNKNOWN = re.compile(r"\{{2,}(?:(?!\{\{)[^}]|\}(?!\}))*\}{2,4}")
_AFTER_ESCAPED = re.compile(r"(?=\\{0,2}\{\{)|\Z")
_BRACE_RUN = re.compile(r"\{{2,}")
_BLOCK = re.compile(r"\{\{~?[#^][>*]?\s*([^\s{}~]+)")
_SHOWN = 60  # characters of a tag
_DEEPEST = 50  # blocks in each other; Jinja can do 95


class Kind(Enum):
    """What a tag is; RAW is `{{{x}}}`."""

    VARIABLE = auto()
    RAW = auto()
    IF = auto()
    ELSE = auto()
    END = auto()
    COMMENT = auto()


_KINDS = {
    Kind.IF: re.compile(f"#{SPACE}*if{SPACE}+{_NAME}{SPACE}*"),
    Kind.ELSE: re.compile(f"(?:{SPACE}*else|\\^){SPACE}*()"),
    Kind.END: re.compile(f"/{SPACE}*{_NAME}{SPACE}*"),
    Kind.RAW: re.compile(f"\\{{{SPACE}*{_NAME}{SPACE}*\\}}"),
    Kind.VARIABLE: re.compile(f"{SPACE}*{_NAME}{SPACE}*"),
}


@dataclass(frozen=True, order=True)
class Place:
    """Both count from 1; characters, not bytes."""

    line: int
    column: int


@dataclass(frozen=True)
class Remark:
    """Something in a template that its country should know of."""

    place: Place
    what: str
    cure: str


@dataclass(frozen=True)
class Text:
    """What stands between tags. Several may follow each other: Handlebars strips white space from each by itself."""

    content: str


@dataclass(frozen=True)
class Tag:
    """`said` is the name of a variable or block, or the text of a comment; `strips_…` says on which side it has a ~."""

    kind: Kind
    said: str
    place: Place
    strips_before: bool
    strips_after: bool


Token = Text | Tag


def read(template: str) -> tuple[Sequence[Token], Sequence[Remark]]:
    """A template's parts, and all in it that is beyond messages; where there is such, the parts are of no use.

    Ends of lines are read as LF.
    """
    reader = _Reader(template.replace("\r\n", "\n"))
    reader.read()
    return reader.tokens, sorted(reader.remarks, key=lambda one: one.place)


@dataclass
class _Open:
    """A block that is not closed yet."""

    name: str
    place: Place
    has_else: bool = False


class _Reader:
    def __init__(self, template: str) -> None:
        self.tokens: list[Token] = []
        self.remarks: list[Remark] = []
        self._template = template
        self._line_starts = [0, *(end.end() for end in re.finditer("\n", template))]
        self._open: list[_Open] = []

    def read(self) -> None:
        position = 0
        while (start := self._template.find("{{", position)) >= 0:
            before = self._template[position:start]
            if before.endswith("\\") and not before.endswith("\\\\"):
                self._text(before[:-1])
                position = self._escaped(start)
            else:
                self._text(before.removesuffix("\\"))
                position = self._tag(start)
        self._text(self._template[position:])
        for block in self._open:
            self._remark(
                block.place, f"{{{{#{block.name}}}}} is never closed", f"write {{{{/{block.name}}}}} at its end"
            )

    def _escaped(self, start: int) -> int:
        r"""After a backslash, `\{{`: all up to the next braces is text."""
        end = _AFTER_ESCAPED.search(self._template, start + 2)
        position = end.start() if end else len(self._template)
        self._text(self._template[start:position])
        return position

    def _tag(self, start: int) -> int:
        """Read the tag that starts there, and say where it ends."""
        if self._template.startswith(("{{!", "{{~!"), start):
            return self._comment(start)
        found = _TAG.match(self._template, start)
        inner = found["inner"] if found is not None else ""
        kind = next((kind for kind, pattern in _KINDS.items() if pattern.fullmatch(inner)), None)
        if found is None or kind is None or self._has_brace_too_many(kind, found):
            return self._beyond(start)
        said = _KINDS[kind].sub(r"\1", inner)
        tag = Tag(kind, said, self._place(start), bool(found["before"]), bool(found["after"]))
        self._nest(tag)
        self.tokens.append(tag)
        return found.end()

    def _has_brace_too_many(self, kind: Kind, found: re.Match[str]) -> bool:
        """After a ~ or an {{else}} it is text."""
        is_text = kind is Kind.ELSE or found["after"]
        return not is_text and self._template.startswith("}", found.end())

    def _comment(self, start: int) -> int:
        is_long = self._template.startswith(("{{!--", "{{~!--"), start)
        found = (_LONG_COMMENT if is_long else _COMMENT).match(self._template, start)
        if found is None:
            end = "--}}" if is_long else "}}"
            self._remark(self._place(start), "the comment is never closed", f"write {end} at its end")
            return len(self._template)
        said = found["said"].removeprefix("--") if is_long else found["said"]
        tag = Tag(Kind.COMMENT, said, self._place(start), bool(found["before"]), bool(found["after"]))
        self.tokens.append(tag)
        return found.end()

    def _nest(self, tag: Tag) -> None:
        if tag.kind is Kind.IF:
            if len(self._open) >= _DEEPEST:
                self._remark(tag.place, f"{{{{#if}}}} stands inside of {_DEEPEST} others", "write it with fewer")
            self._open.append(_Open("if", tag.place))
        elif tag.kind is Kind.ELSE:
            if not self._open:
                self._remark(tag.place, "{{else}} stands outside of {{#if}}", "write {{#if x}} before it")
            elif self._open[-1].has_else:
                self._remark(tag.place, "{{#if}} has a second {{else}}", "leave one of them out")
            else:
                self._open[-1].has_else = True
        elif tag.kind is Kind.END:
            if self._open and self._open[-1].name == tag.said:
                self._open.pop()
            else:
                what = f"{{{{/{tag.said}}}}} closes what is not open"
                self._remark(tag.place, what, f"write {{{{#{tag.said} x}}}} before it, or leave it out")

    def _beyond(self, start: int) -> int:
        found = _UNKNOWN.match(self._template, start)
        if found is None:
            what = f"“{self._template[start : start + 20].split()[0]}” is never closed"
            self._remark(self._place(start), what, r"write }} at its end, or \{{ where braces are meant")
            run = _BRACE_RUN.match(self._template, start)
            return run.end() if run else start + 2
        what, cure = beyond(found.group())
        self._remark(self._place(start), f"{shorten(found.group(), _SHOWN, placeholder=' …')} {what}", cure)
        if block := _BLOCK.match(found.group()):
            self._open.append(_Open(block[1], self._place(start)))
        return found.end()

    def _text(self, content: str) -> None:
        if content:
            self.tokens.append(Text(content))

    def _remark(self, place: Place, what: str, cure: str) -> None:
        self.remarks.append(Remark(place, what, cure))

    def _place(self, offset: int) -> Place:
        line = bisect_right(self._line_starts, offset)
        return Place(line, offset - self._line_starts[line - 1] + 1)
