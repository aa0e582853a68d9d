"""One thing that can be called, as it is described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from marshmallow import Schema


class Access(StrEnum):
    """Who may call it: the names of the security schemes, and none."""

    ANYBODY = "anybody"
    CORE = "core"
    CORE_OR_TRUSTED = "core or a trusted network"
    TRUSTED = "a trusted network"
    CLIENT = "client"
    CORE_OR_CLIENT = "core or client"
    SIGNED = "signed"


@dataclass(frozen=True)
class Operation:
    """`path` has its parameters in braces. `body` is a schema, or JSON Schema; `form` says that it is sent as a form.

    `answers` maps a status to what it means; `answer` is the JSON Schema of the successful one.
    """

    method: str
    path: str
    tag: str
    summary: str
    access: Access
    body: Schema | Mapping[str, Any] | None = None
    answers: Mapping[int, str] = field(default_factory=lambda: {200: "Done"})
    answer: Mapping[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    example: Any = None
    description: str = ""
    body_is_optional: bool = False
    form: bool = False
