"""Which texts a message is made of: translations that note what they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.notifications.translations import Translations


@dataclass(frozen=True)
class Use:
    """A text that was wanted in `language`, and was there in `found_in`."""

    text_id: str
    language: str
    found_in: str

    @property
    def is_stand_in(self) -> bool:
        """Whether another language's text is in its place."""
        return self.found_in != self.language


@dataclass(frozen=True)
class NotingTranslations(Translations):
    """For one thread: what was used since `uses` was last cleared, in the order of its first use."""

    uses: dict[Use, None] = field(default_factory=dict)

    def filled(self, text_id: str, language: str, variables: Mapping[str, str], *, escape: bool) -> str:
        self.uses[Use(text_id, language, self.language_of(text_id, language))] = None
        return super().filled(text_id, language, variables, escape=escape)
