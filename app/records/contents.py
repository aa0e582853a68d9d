"""What stands in `content` of an action, by its type. Only for judging: an action keeps the JSON as it came."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET, Struct, UnsetType

from app.records.formats import EMPTY, NOT_A_UUID, is_uuid

Failure = tuple[tuple[str | int, ...], str]
"""Where in the judged value a format failed, and what was wanted there."""


class Content(Struct):
    """Keys that are not named are ignored. A field of `str | UnsetType` may be absent, never null."""

    def failed_formats(self) -> Iterator[Failure]:
        """What is wrong in a content that has all the right types."""
        yield from ()


class Reason(Content):
    """Of REJECT and REJECT_CORRECTION."""

    reason: str

    def failed_formats(self) -> Iterator[Failure]:
        if not self.reason:
            yield ("reason",), EMPTY


class OptionalReason(Content):
    """Of ARCHIVE: from core 2.1 on the registrar need not give a reason, and it is absent then."""

    reason: str | UnsetType = UNSET

    def failed_formats(self) -> Iterator[Failure]:
        if self.reason == "":
            yield ("reason",), EMPTY


class Comment(Content):
    """Of EDIT."""

    comment: str | UnsetType = UNSET


class Template(Content, rename="camel"):
    """Of PRINT_CERTIFICATE."""

    template_id: str | UnsetType = UNSET


class Duplicate(Content, rename="camel"):
    """A record that looks like this one."""

    id: str
    tracking_id: str


class Duplicates(Content):
    """Of DUPLICATE_DETECTED."""

    duplicates: list[Duplicate]

    def failed_formats(self) -> Iterator[Failure]:
        for position, duplicate in enumerate(self.duplicates):
            if not is_uuid(duplicate.id):
                yield ("duplicates", position, "id"), NOT_A_UUID


class DuplicateOf(Content, rename="camel"):
    """Of MARK_AS_DUPLICATE."""

    duplicate_of: str

    def failed_formats(self) -> Iterator[Failure]:
        if not is_uuid(self.duplicate_of):
            yield ("duplicateOf",), NOT_A_UUID
