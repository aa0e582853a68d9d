"""What stands in a template and no sample comes to: the other side of a condition, and what it asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from jinja2 import Environment, TemplateError, nodes
from jinja2.defaults import DEFAULT_NAMESPACE
from jinja2.meta import find_referenced_templates, find_undeclared_variables

from app.notifications.checks.cells import close_to
from app.notifications.checks.failures import Attempt, what_there_is
from app.notifications.checks.problems import Problem, error, warning
from app.notifications.checks.wording import Wording

_ALWAYS = frozenset({"this", "t", "look", "self", "super", "caller", "varargs", "kwargs", "loop"})
_TAG = re.compile(r"<(style|script|title)\b.*?(?:</\1>|\Z)|<!--.*?(?:-->|\Z)|<[^<>]*>|&\w+;", re.DOTALL)


@dataclass(frozen=True)
class Parsed:
    """A template as it was read, without the blocks that another one says in its place."""

    file: str
    tree: nodes.Template

    @cached_property
    def variables(self) -> dict[str, int | None]:
        """Those that it asks for, and the lines."""
        known = {*_ALWAYS, *DEFAULT_NAMESPACE, *_asked_whether_defined(self.tree), *_set_in(self.tree)}
        return {name: _line_of(self.tree, name) for name in sorted(find_undeclared_variables(self.tree) - known)}

    @cached_property
    def texts(self) -> list[tuple[int, str]]:
        """The ids of those that it asks for, behind the lines."""
        return [(call.lineno, text_id) for call, text_id in _texts(self.tree)]


@dataclass(frozen=True)
class _Read:
    """`own` are the blocks that it says itself; `others` the names of what it uses, and whether it extends that."""

    parsed: Parsed
    own: frozenset[str]
    others: tuple[tuple[str, bool], ...]


class Templates:
    """Templates and what they extend, include and import, each parsed once for all messages that share it."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._read_before: dict[tuple[str, frozenset[str]], _Read | None] = {}

    def of(self, file: str) -> list[Parsed]:
        """The template of this path and all that it uses, as far as that can be read."""
        return list(self._with_others(Path(file).name, frozenset(), set()))

    def _with_others(self, name: str, said: frozenset[str], seen: set[str]) -> Iterator[Parsed]:
        """`said` are the blocks that a template which extends this one says, `seen` the names of those before."""
        if name in seen:
            return
        seen.add(name)
        key = (name, said)
        if key not in self._read_before:
            self._read_before[key] = _read(self._environment, name, said)
        read = self._read_before[key]
        if read is None:
            return
        yield read.parsed
        for other, is_extended in read.others:
            yield from self._with_others(other, said | read.own if is_extended else frozenset(), seen)


def branch_problems(parsed: Sequence[Parsed], attempt: Attempt, words: Wording) -> Iterator[Problem]:
    """Variables that the message does not have, and texts that there are not."""
    for one in parsed:
        for name, line in one.variables.items():
            if name not in attempt.variables:
                cure = close_to(name, sorted(attempt.variables)) or what_there_is(attempt)
                yield error(one.file, line, f"{attempt.message} has no variable {name}", cure)
        for line, text_id in one.texts:
            if text_id not in words.rows:
                cure = close_to(text_id, words.rows) or f"add a row with the id {text_id} to translations/*.csv"
                yield error(one.file, line, f"there is no text {text_id}", cure)


def untranslated(parsed: Sequence[Parsed], name: str, languages: Sequence[str]) -> Iterator[Problem]:
    """A template that says the same in several languages, since it asks for no text."""
    own = parsed[0]
    words = _TAG.sub("", "".join(data.data for data in own.tree.find_all(nodes.TemplateData)))
    asks = any(call for call in own.tree.find_all(nodes.Call) if _is(call.node, "t"))
    if len(languages) > 1 and not asks and any(one.isalpha() for one in words):
        what = f"says the same in {' and '.join(languages)}: it asks for no text"
        cure = f'write its words as {{{{ t("…") }}}}, or make a {name}.{languages[1]}.html too'
        yield warning(own.file, None, what, cure)


def _read(environment: Environment, name: str, said: frozenset[str]) -> _Read | None:
    """None where it cannot be read or parsed: that is told when the message is made."""
    try:
        text, path, _ = environment.loader.get_source(environment, name) if environment.loader else ("", None, None)
        tree = environment.parse(text)
    except (TemplateError, OSError, UnicodeDecodeError):
        return None
    extended = {
        node.template.value
        for node in tree.find_all(nodes.Extends)
        if isinstance(node.template, nodes.Const) and isinstance(node.template.value, str)
    }
    others = tuple((other, other in extended) for other in find_referenced_templates(tree) if other is not None)
    for block in tree.find_all(nodes.Block):
        if block.name in said:
            block.body = []
    own = frozenset(block.name for block in tree.find_all(nodes.Block) if not _asks_for_super(block))
    return _Read(Parsed(path or name, tree), own, others)


def _asks_for_super(block: nodes.Block) -> bool:
    return any(_is(call.node, "super") for call in block.find_all(nodes.Call))


def _set_in(tree: nodes.Template) -> set[str]:
    """What a template sets or imports on top can be said in its blocks."""
    names = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
    names |= {node.target for node in tree.find_all(nodes.Import)} | {node.name for node in tree.find_all(nodes.Macro)}
    imported = [name for node in tree.find_all(nodes.FromImport) for name in node.names]
    return names | {name if isinstance(name, str) else name[1] for name in imported}


def _asked_whether_defined(tree: nodes.Template) -> set[str]:
    tests = [test.node for test in tree.find_all(nodes.Test) if test.name in ("defined", "undefined")]
    filters = [one.node for one in tree.find_all(nodes.Filter) if one.name in ("default", "d")]
    return {node.name for node in (*tests, *filters) if isinstance(node, nodes.Name)}


def _texts(tree: nodes.Template) -> Iterator[tuple[nodes.Call, str]]:
    """Calls of t() with an id that is written out, and with nothing to say instead."""
    for call in tree.find_all(nodes.Call):
        if _is(call.node, "t") and len(call.args) == 1 and not call.kwargs:
            argument = call.args[0]
            if isinstance(argument, nodes.Const) and isinstance(argument.value, str):
                yield call, argument.value


def _line_of(tree: nodes.Template, name: str) -> int | None:
    return next((node.lineno for node in tree.find_all(nodes.Name) if node.name == name), None)


def _is(node: nodes.Node, name: str) -> bool:
    return isinstance(node, nodes.Name) and node.name == name
