"""Handlebars templates written as Jinja ones that render the same text, in the environment of render.py."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from app.notifications.handlebars import SPACE, Kind, Remark, Tag, Text, Token, read

# White space is looked for from its first character on: from each of them, it takes quadratic time.
_LINE_STARTS = re.compile(f"(?<!{SPACE})(?={SPACE}*+\\Z){SPACE}*\n")
_LINE_ENDS = re.compile(f"{SPACE}*\n")
_SPACE_ALONE = re.compile(f"{SPACE}*")
_LEADING_SPACE = re.compile(f"\\A{SPACE}+")
_TRAILING_SPACE = re.compile(f"(?<!{SPACE}){SPACE}+\\Z")
_REST_OF_LINE = re.compile(r"\A[ \t]*\n?")
_INDENT = re.compile(r"(?<![ \t])[ \t]*\Z")
_BRACES = re.compile(r"\{{2,}|\{(?=[%#])")  # what Jinja would take for the start of a tag
_BRACES_BEFORE_TAG = re.compile(rf"{_BRACES.pattern}|\{{\Z")

_JINJA = {Kind.IF: "if {}", Kind.ELSE: "else", Kind.END: "endif"}
_WITH_VARIABLE = (Kind.VARIABLE, Kind.RAW, Kind.IF)


@dataclass(frozen=True)
class Conversion:
    """`jinja` is None where there are `obstacles`; `notes` are what is written in another way than it was."""

    jinja: str | None
    obstacles: Sequence[Remark] = ()
    notes: Sequence[Remark] = ()


def convert(template: str, known: Collection[str]) -> Conversion:
    """Write a Handlebars template as a Jinja one. `known` are the names of the variables that its message has.

    `{{{x}}}` is escaped like `{{x}}`: the values are plain text, which reads the same, and people have typed them.
    """
    tokens, obstacles = read(template)
    tags = [token for token in tokens if isinstance(token, Tag)]
    unknown = [_unknown(tag, known) for tag in tags if tag.kind in _WITH_VARIABLE and tag.said not in known]
    if obstacles or unknown:
        return Conversion(None, sorted([*obstacles, *unknown], key=lambda one: one.place))
    return Conversion("".join(_written(_settled(tokens))), notes=[_raw(tag) for tag in tags if tag.kind is Kind.RAW])


def unknown_variable(name: str, known: Collection[str]) -> tuple[str, str]:
    """What to say of a variable that a message does not have, and the cure."""
    alike = [other for other in sorted(known) if other.casefold() == name.casefold()]
    close = alike or get_close_matches(name, sorted(known), n=1, cutoff=0.8)
    cure = f"did you mean {{{{{close[0]}}}}}?" if close else f"leave it out; there are {', '.join(sorted(known))}"
    return f"this message has no variable {{{{{name}}}}}", cure


def _unknown(tag: Tag, known: Collection[str]) -> Remark:
    return Remark(tag.place, *unknown_variable(tag.said, known))


def _raw(tag: Tag) -> Remark:
    what = f"{{{{{{{tag.said}}}}}}} became {{{{ {tag.said} }}}}, which shows HTML in its value as it was typed"
    cure = f"to follow it, write {{{{ {tag.said}|safe }}}}: then whoever types it can put anything into the e-mail"
    return Remark(tag.place, what, cure)


@dataclass(frozen=True)
class _Placed:
    """`indent` is what stands before a tag that takes its whole line with it; None for another tag."""

    tag: Tag
    indent: str | None


def _settled(tokens: Sequence[Token]) -> list[str | _Placed]:
    """Texts without the white space that tags take with them, joined where they touch."""
    alone = {index for index, token in enumerate(tokens) if isinstance(token, Tag) and _is_alone(tokens, index, token)}
    settled: list[str | _Placed] = []
    for index, token in enumerate(tokens):
        if isinstance(token, Tag):
            before = tokens[index - 1] if index else None
            indent = _INDENT.findall(before.content)[0] if isinstance(before, Text) else ""
            settled.append(_Placed(token, indent if index in alone else None))
        elif content := _stripped(tokens, index, token.content, alone):
            last = settled.pop() if settled and isinstance(settled[-1], str) else ""
            settled.append(f"{last}{content}")
    return settled


def _is_alone(tokens: Sequence[Token], index: int, tag: Tag) -> bool:
    """Whether it has a line for itself, as Handlebars sees it: beginnings and ends of blocks, and comments can."""
    return tag.kind not in (Kind.VARIABLE, Kind.RAW) and _line_starts(tokens, index) and _line_ends(tokens, index)


def _line_starts(tokens: Sequence[Token], index: int) -> bool:
    """Before the tag there; the start of the template is one of a line."""
    if index == 0:
        return True
    before = tokens[index - 1]
    if not isinstance(before, Text):
        return False
    is_first = index == 1 and _SPACE_ALONE.fullmatch(before.content)
    return bool(is_first or _LINE_STARTS.search(before.content))


def _line_ends(tokens: Sequence[Token], index: int) -> bool:
    if index + 1 == len(tokens):
        return True
    after = tokens[index + 1]
    if not isinstance(after, Text):
        return False
    is_last = index + 2 == len(tokens) and _SPACE_ALONE.fullmatch(after.content)
    return bool(is_last or _LINE_ENDS.match(after.content))


def _stripped(tokens: Sequence[Token], index: int, content: str, alone: Collection[int]) -> str:
    before = tokens[index - 1] if index else None
    after = tokens[index + 1] if index + 1 < len(tokens) else None
    if isinstance(before, Tag) and (before.strips_after or index - 1 in alone):
        content = (_LEADING_SPACE if before.strips_after else _REST_OF_LINE).sub("", content)
    if isinstance(after, Tag) and (after.strips_before or index + 1 in alone):
        content = (_TRAILING_SPACE if after.strips_before else _INDENT).sub("", content)
    return content.replace("\r", "\n")  # as Jinja and HTML do it


def _written(settled: Sequence[str | _Placed]) -> Iterator[str]:
    """As Jinja, which strips white space around tags by rules of its own (trim_blocks, lstrip_blocks)."""
    line = ""
    for piece, following in zip(settled, [*settled[1:], None], strict=False):
        if isinstance(piece, str):
            written = (_BRACES_BEFORE_TAG if following else _BRACES).sub(r'{{ "\g<0>" }}', piece)
            if following is None and piece.endswith("\n"):
                written += "\n"  # Jinja takes the last one away
        elif piece.tag.kind in (Kind.VARIABLE, Kind.RAW):
            written = f"{{{{ {piece.tag.said} }}}}"
        else:
            written = _block_or_comment(piece, line, isinstance(following, str) and following.startswith("\n"))
        yield written
        line = f"{line}{written}".rpartition("\n")[2]


def _block_or_comment(placed: _Placed, line: str, newline_follows: bool) -> str:
    """`line` is what is written of the same line so far. A + keeps the white space on its side of the tag."""
    kind = placed.tag.kind
    if kind is Kind.COMMENT:
        opening, said, closing = "{#", placed.tag.said.strip().replace("#}", "# }"), "#}"
    else:
        opening, said, closing = "{%", _JINJA[kind].format(placed.tag.said), "%}"
    before = "+" if line.isspace() else ""
    after = "+" if placed.indent is None and newline_follows else ""
    indent = placed.indent if placed.indent and not line else ""
    return f"{indent}{opening}{before} {said} {after}{closing}" + ("" if placed.indent is None else "\n")
