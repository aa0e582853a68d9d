"""The forms of the country's event types, as far as its event configurations are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from app.opencrvs.event_configurations import Configurations, EventConfigurations
from app.records.form import EventForm


@dataclass(frozen=True)
class EventForms:
    """Without `configurations`, where no EVENT_CONFIG_URL is set, no form is known."""

    configurations: EventConfigurations | None = None

    def form_of(self, event_type: str) -> EventForm | None:
        """Return the form at once; None where it is not known, or not yet. Never waits for the configuration server."""
        known = self.configurations.known() if self.configurations is not None else None
        return forms_in(known).get(event_type) if known is not None else None

    def prefetch(self) -> None:
        """Start to fetch in the background, so that the first who asks finds something."""
        if self.configurations is not None:
            self.configurations.known()


@lru_cache(maxsize=2)
def forms_in(configurations: Configurations) -> Mapping[str, EventForm]:
    """By event type; made once for each fetch. Of two configurations with one id, the first counts."""
    forms: dict[str, EventForm] = {}
    for one in configurations.listed:
        forms.setdefault(one["id"], EventForm.of(one))
    return forms
