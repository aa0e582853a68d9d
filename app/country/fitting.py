"""What a country's rules name, held against its event configurations. No rule is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.country.country import ANY, Country
from app.records.form import EventForm


def misfits(country: Country, forms: Mapping[str, EventForm]) -> list[str]:
    """Return what is named in the rules and is in no configuration, one sentence each."""
    return [*_unknown_event_types(country, forms), *_unknown_fields(country, forms)]


def _unknown_event_types(country: Country, forms: Mapping[str, EventForm]) -> Iterator[str]:
    known = ", ".join(sorted(forms)) or "none"
    named = [(f"on_action({event!r}, {action!r})", event) for event, action, _ in country.rules]
    named += [(f"registration_number({event!r})", event) for event in country.numbers]
    named += [(f"informant({event!r})", event) for event in country.informants]
    named += [(f"analytics({event!r})", event) for event in country.analytics]
    for declared, event_type in named:
        if event_type != ANY and event_type not in forms:
            yield f"{declared}: no event type {event_type} is configured: use one of {known}"


def _unknown_fields(country: Country, forms: Mapping[str, EventForm]) -> Iterator[str]:
    for event_type, rule in country.analytics.items():
        form = forms.get(event_type)
        if form is None or form.declaration is None:
            continue
        for field in sorted((rule.fields or frozenset()) - form.field_ids):
            yield f"analytics({event_type!r}): no form has the field {field}: correct its id, or remove it"
