"""What Handlebars can do and messages cannot: what it is called, and what to write in its place."""

from __future__ import annotations

import re

_KINDS = (
    (r"\{\{", "is a raw block", "write its text without the braces around it"),
    (r"#?\*", "is a decorator", "write what it stands for in its place"),
    (r"#?>", "takes in another file (a partial)", "write the text of that file in its place"),
    (r"#\s*each\b", "is a list, and messages have none", "write each line out"),
    (r"#\s*unless\b|\^", "is a condition the other way round", "write {{#if x}}{{else}} … {{/if}}"),
    (r"#\s*if\s*$", "names no variable", "write {{#if x}}, with the name of a variable"),
    (r"#\s*if\b", "asks for more than a variable", "write {{#if x}}, with the name of one variable"),
    (r"#", "is a block other than {{#if}}", "write it with {{#if x}} … {{/if}}"),
    (r"\s+[#/^>&]", "has a space after its braces", "leave the space out"),
    (r"\s*else\b", "is a chain of conditions", "write {{else}}{{#if x}} … {{/if}}{{/if}} in its place"),
    (r"&", "puts a variable in as it is", "write {{x}}: it shows the same text"),
    (r"\{?\s*@", "is a variable of Handlebars itself", "write its text in its place"),
    (r"\{?\s*\(", "is a helper, which is code", "write a variable alone, or with {{#if x}} … {{/if}}"),
    (r"\{?\s*[\"'\[]", "is a quoted name", "write the name without the quotes"),
    (
        r"\{?\s*[^\s(){}~]+\s+[^\s{}~]",
        "is a helper, which is code",
        "write a variable alone, or with {{#if x}} … {{/if}}",
    ),
    (r"\{?\s*[^\s{}]*[./]", "is a path", "write the name of a variable alone"),
)


def beyond(tag: str) -> tuple[str, str]:
    """What a tag that messages do not know is, and what to do about it. `tag` starts with its two braces."""
    inner = tag[2:].rstrip("}").removeprefix("~").removesuffix("~")
    for pattern, what, cure in _KINDS:
        if re.match(pattern, inner):
            return what, cure
    if inner.startswith("{") or tag.endswith("}}}"):
        return "has more braces on one side than on the other", "write {{x}}"
    return "is nothing that Handlebars knows", "write {{x}}, with the name of a variable"
