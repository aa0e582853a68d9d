"""What a country's rules name, held against its event configurations. No rule is run."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping

from app.country.answers import Accept
from app.country.country import ANY, Country, Rule
from app.records.form import EventForm


def misfits(country: Country, forms: Mapping[str, EventForm]) -> list[str]:
    """Return what is named in the rules and is in no configuration, one sentence each."""
    return [
        *_unknown_event_types(country, forms),
        *_unknown_fields(country, forms),
        *_unknown_additions(country, forms),
    ]


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


def _unknown_additions(country: Country, forms: Mapping[str, EventForm]) -> Iterator[str]:
    """Of the fields that are written out in a rule's Accept(...). Those that a rule computes are not known before."""
    fields_of = {name: form.field_ids for name, form in forms.items() if form.declaration is not None}
    if len(fields_of) == len(forms):
        fields_of[ANY] = frozenset[str]().union(*fields_of.values())
    for event_type, action_type, rule in country.rules:
        known = fields_of.get(event_type)
        if known is None:
            continue
        for field in sorted(_added_by(rule) - known):
            yield (
                f"on_action({event_type!r}, {action_type!r}) {rule.__name__}: no form has the field {field}, so that "
                "it would be left out: correct its id, or remove it"
            )


def _added_by(rule: Rule) -> frozenset[str]:
    """The keys of dictionaries that are written inside the call Accept(...), where the source can be read."""
    try:
        source = ast.parse(textwrap.dedent(inspect.getsource(rule)))
    except (OSError, TypeError, SyntaxError):
        return frozenset()
    calls = [node for node in ast.walk(source) if isinstance(node, ast.Call) and _name_of(node.func) == Accept.__name__]
    added = [
        *(one.args[index] for one in calls for index in (0, 1) if index < len(one.args)),
        *(one.value for call in calls for one in call.keywords if one.arg in ("declaration", "annotation")),
    ]
    keys = [key for value in added if isinstance(value, ast.Dict) for key in value.keys]
    return frozenset(key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str))


def _name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
