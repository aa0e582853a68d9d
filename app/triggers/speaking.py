"""In which language a person is written to: what is known of the person, then the country's rule, then the default."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from app.country import Country, Recipient
from app.country.loading import place_of
from app.notifications.languages import Languages
from app.timed_calls import TimedCalls

log = structlog.get_logger()

_calls = TimedCalls(most_hanging=8)
_LONGEST = 1.0  # seconds: each message waits for it, one-time codes too


@dataclass(frozen=True)
class Speaking:
    """`timeout` is what the country's rule may take, in seconds."""

    country: Country
    languages: Languages
    timeout: float

    def to(self, recipient: Recipient, wished: object = None) -> tuple[str, ...]:
        """`wished` is what the person chose, if that is known.

        A rule that fails leaves the default: a message in another language is better than none.
        """
        rule = self.country.language_rule
        if rule is not None and self.languages.match(wished) is None:
            try:
                wished = _calls(lambda: rule(recipient), min(self.timeout, _LONGEST))
            except Exception as error:
                log.exception("language.crashed", place=place_of(error))
            else:
                if wished is not None and self.languages.match(wished) is None:
                    log.warning("language.unknown", known=self.languages.known)
        return self.languages.of(wished)
