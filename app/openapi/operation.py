"""One thing that can be called, as it is described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from marshmallow import Schema


class Credential(StrEnum):
    """What a caller may show: the names of the security schemes, and no credential at all."""

    CORE = "core"
    CLIENT = "client"
    NONE = "none"


@dataclass(frozen=True)
class Access:
    """Who may call: any one of the credentials will do. `who` says more, for people."""

    credentials: tuple[Credential, ...]
    who: str = ""


ANYBODY = Access((Credential.NONE,))
CORE = Access((Credential.CORE,))
CLIENT = Access((Credential.CLIENT,))
CORE_OR_CLIENT = Access((Credential.CLIENT, Credential.CORE))
TRUSTED = Access((Credential.NONE,), "Only from the networks in TRUSTED_NETWORKS.")
SIGNED = Access((Credential.NONE,), "Only with a signature or a token that the SMS provider was given.")


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
