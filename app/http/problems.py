"""marshmallow's problems in the shape in which they are answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

MOST_PROBLEMS = 20
Details = list[dict[str, Any]]


def problems(messages: Any) -> Details:
    """marshmallow's nested messages as a flat list of {"path", "message"}, in the order of the schema's fields.

    At most MOST_PROBLEMS of them: a small body can have millions.
    """
    return list(islice(_problems(messages, ()), MOST_PROBLEMS))


def _problems(messages: Any, path: tuple[str | int, ...]) -> Iterator[dict[str, Any]]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _problems(inner, path if key == "_schema" else (*path, key))
    else:
        yield from ({"path": list(path), "message": str(message)} for message in messages)
