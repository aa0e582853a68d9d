"""In which language, or languages, somebody is written to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Languages:
    """`default` is for those of whom nothing is known; `known` are those in which there is wording."""

    default: tuple[str, ...]
    known: Collection[str]

    def of(self, wished: object) -> tuple[str, ...]:
        """The one that somebody wishes, also written like `fr-CA` or `FR`; the default where there is no such."""
        found = self.match(wished)
        return (found,) if found else self.default

    def match(self, wished: object) -> str | None:
        """The known one that is wished; None where there is no such."""
        if not isinstance(wished, str):
            return None
        by_tag = {_tag(language): language for language in self.known}
        tag = _tag(wished.strip())
        return by_tag.get(tag) or by_tag.get(tag.partition("-")[0])


def _tag(language: str) -> str:
    return language.replace("_", "-").lower()
