"""What stands in a template and no sample comes to: the other side of a condition, and what it asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, TemplateError, nodes
from jinja2.defaults import DEFAULT_NAMESPACE
from jinja2.meta import find_referenced_templates, find_undeclared_variables

from app.notifications.checks.cells import close_to
from app.notifications.checks.failures import Attempt, what_there_is
from app.notifications.checks.problems import Problem, error, warning
from app.notifications.checks.wording import Wording

_ALWAYS = frozenset({"this", "t", "look", "self", "super", "caller", "varargs", "kwargs", "loop"})
_TAG = re.compile(r"<(style|script|title)\b.*?</\1>|<!--.*?-->|<[^>]*>|&\w+;", re.DOTALL)


@dataclass(frozen=True)
class Parsed:
    """A template as it was read, without the blocks that another one says in its place."""

    file: str
    tree: nodes.Template


def templates_of(environment: Environment, file: str) -> list[Parsed]:
    """The template of this path and all that it extends, includes and imports, as far as that can be read."""
    source = _source(environment, Path(file).name)
    return [] if source is None else list(_with_others(environment, *source, frozenset(), []))


def branch_problems(parsed: Sequence[Parsed], attempt: Attempt, words: Wording) -> Iterator[Problem]:
    """Variables that the message does not have, and texts that there are not."""
    for one in parsed:
        known = {
            *attempt.variables,
            *_ALWAYS,
            *DEFAULT_NAMESPACE,
            *_asked_whether_defined(one.tree),
            *_set_in(one.tree),
        }
        for name in sorted(find_undeclared_variables(one.tree) - known):
            cure = close_to(name, sorted(attempt.variables)) or what_there_is(attempt)
            yield error(one.file, _line_of(one.tree, name), f"{attempt.message} has no variable {name}", cure)
        for call, text_id in _texts(one.tree):
            if text_id not in words.rows:
                cure = close_to(text_id, words.rows) or f"add a row with the id {text_id} to translations/*.csv"
                yield error(one.file, call.lineno, f"there is no text {text_id}", cure)


def untranslated(parsed: Sequence[Parsed], name: str, languages: Sequence[str]) -> Iterator[Problem]:
    """A template that says the same in several languages, since it asks for no text."""
    own = parsed[0]
    words = _TAG.sub("", "".join(data.data for data in own.tree.find_all(nodes.TemplateData)))
    asks = any(call for call in own.tree.find_all(nodes.Call) if _is(call.node, "t"))
    if len(languages) > 1 and not asks and any(one.isalpha() for one in words):
        what = f"says the same in {' and '.join(languages)}: it asks for no text"
        cure = f'write its words as {{{{ t("…") }}}}, or make a {name}.{languages[1]}.html too'
        yield warning(own.file, None, what, cure)


def _with_others(
    environment: Environment, name: str, text: str, file: str, said: frozenset[str], seen: list[str]
) -> Iterator[Parsed]:
    """`said` are the blocks that are said by a template which extends this one, `seen` the names of those before."""
    if name in seen:
        return
    seen.append(name)
    try:
        tree = environment.parse(text)
    except TemplateError:  # told when the message is made
        return
    others = [one for one in find_referenced_templates(tree) if one is not None]
    extended = {
        node.template.value
        for node in tree.find_all(nodes.Extends)
        if isinstance(node.template, nodes.Const) and isinstance(node.template.value, str)
    }
    for block in tree.find_all(nodes.Block):
        if block.name in said:
            block.body = []
    own = {block.name for block in tree.find_all(nodes.Block) if not _asks_for_super(block)}
    yield Parsed(file, tree)
    for other in others:
        source = _source(environment, other)
        if source is not None:
            yield from _with_others(environment, *source, said | own if other in extended else frozenset(), seen)


def _source(environment: Environment, name: str) -> tuple[str, str, str] | None:
    """Name, text and path."""
    try:
        text, path, _ = environment.loader.get_source(environment, name) if environment.loader else ("", None, None)
    except (TemplateError, OSError, UnicodeDecodeError):
        return None
    return name, text, path or name


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
