"""A message with values to try it with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.notifications.catalogue import Message


@dataclass(frozen=True)
class Sample:
    """A realistic value for each variable of a message, and in `long` for some of them a long one that still occurs."""

    message: Message
    variables: Mapping[str, str]
    long: Mapping[str, str] = field(default_factory=dict)

    @property
    def long_variables(self) -> dict[str, str]:
        """All variables, with the long values."""
        return {**self.variables, **{name: value for name, value in self.long.items() if self.variables.get(name)}}
