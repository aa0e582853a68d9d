"""`country-config rules`: what a country's rules are, and what they would answer. No database is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from app import country, logs
from app.cli.tables import print_table
from app.composition.configurations import event_configurations
from app.country import Action
from app.country.country import AnalyticsRule
from app.country.fitting import misfits
from app.decisions import numbers
from app.decisions.additions import fitted, problems_of
from app.decisions.deferring import may_be_deferred
from app.decisions.questions import action_of
from app.decisions.rulings import Ruling, Verdict, rule, undecided
from app.opencrvs.event_configurations import ConfigurationsUnavailableError
from app.opencrvs.event_forms import forms_in
from app.records.form import EventForm
from app.records.schema import InvalidDocument, event_document
from app.records.state import NoPendingAction, SeveralPendingActions, pending_action
from app.settings import Settings
from app.triggers.catalogue import trigger_types


@click.group()
def rules() -> None:
    """The country's rules (COUNTRY_DIR/rules.py)."""


@rules.command()
def check() -> None:
    """Read the rules and show them; exits 1 where they cannot be used, or do not fit EVENT_CONFIG_URL.

    No rule is run. "Defer" is whether a rule of that action type can answer with Defer; see docs/rules.md.
    """
    settings = Settings.from_env()
    loaded = country.load(settings.country_dir)
    trigger_types(loaded)  # refuses what would hide a trigger or a message of core's
    rows = [("action", event, action, one.__name__, may_be_deferred(action)) for event, action, one in loaded.rules]
    rows += [
        ("registration number", event, "REGISTER", hook.number.__name__, "") for event, hook in loaded.numbers.items()
    ]
    rows += [("informant", event, "", one.__name__, "") for event, one in loaded.informants.items()]
    rows += [("trigger", path, "", declared.message, "") for path, declared in loaded.triggers.items()]
    rows += [("statistics", event, "", _kept(one), "") for event, one in loaded.analytics.items()]
    if rows:
        print_table(["What", "Event type or path", "Action type", "Function, message or fields", "Defer"], rows)
    else:
        click.echo("No rules: every action is accepted, and registration numbers are drawn at random.")
    if loaded.rules:
        click.echo("A rule that fails or takes too long defers too: see docs/rules.md.")
    forms = _forms(settings)
    if forms is not None:
        _end(misfits(loaded, forms))


def _forms(settings: Settings) -> Mapping[str, EventForm] | None:
    """By event type; None where there is no EVENT_CONFIG_URL, or nothing there, which is then said."""
    configurations = event_configurations(settings)
    if configurations is None:
        return None
    try:
        return forms_in(configurations.current())
    except ConfigurationsUnavailableError as error:
        click.echo(f"Not checked against the event configurations: {error}", err=True)
        return None


def _end(found: Sequence[str]) -> None:
    for one in found:
        click.echo(one)
    if found:
        raise click.ClickException("The rules name what the event configurations at EVENT_CONFIG_URL do not have.")


def _kept(declared: AnalyticsRule) -> str:
    fields = "fields of the configuration" if declared.fields is None else f"{len(declared.fields)} fields"
    return fields if declared.computed is None else f"{fields}, {getattr(declared.computed, '__name__', 'a function')}"


@rules.command("try")
@click.argument("event", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="EVENT.json")
@click.option("--action", "action_id", help="Id of the action that is meant, where several are pending.")
@click.option("--office-code", default="OFFICE", show_default=True, help="What action.office_code is.")
def try_(event: Path, action_id: str | None, office_code: str) -> None:
    """Show what would be answered to an event document, and why. Nothing is kept.

    With EVENT_CONFIG_URL, fields that core 2.1 would refuse are named. They would be left out of the answer.
    """
    settings = Settings.from_env()
    logs.configure(settings)
    loaded = country.load(settings.country_dir)
    try:
        document = event_document(json.loads(event.read_text(encoding="utf-8")))
        pending = pending_action(document, action_id)
    except ValueError as error:
        raise click.ClickException(f"{event} is no JSON: {error}") from None
    except InvalidDocument as error:
        found = "\n".join(f"  {'.'.join(map(str, one['path']))}: {one['message']}" for one in error.problems)
        raise click.ClickException(f"{event} is no event document of core's:\n{found}") from None
    except (NoPendingAction, SeveralPendingActions) as error:
        raise click.ClickException(str(error)) from None
    claims = {"sub": pending.created_by, "userType": pending.created_by_user_type}
    action = action_of(document, pending, claims, office_code)
    ruling = rule(loaded.rules_for(document.type, pending.type), action, settings.decision_timeout)
    click.echo(f"{document.type} {pending.type}, action {pending.id}")
    for said in ruling.said:
        click.echo(f"  {said}")
    number = None
    if ruling.verdict is Verdict.ACCEPT and pending.type == "REGISTER":
        try:
            number = ruling.registration_number or numbers.example(loaded, action)
        except Exception as error:  # noqa: BLE001  whatever a hook raises, core would be told to wait
            ruling = undecided(f"no registration number: {type(error).__name__}: {error}")
    ruling = _fitted(settings, action, ruling)
    click.echo(_answer(ruling, number))


def _fitted(settings: Settings, action: Action, ruling: Ruling) -> Ruling:
    """The ruling as it would be answered, and what is left out of it is said."""
    if not ruling.declaration and not ruling.annotation:
        return ruling
    form = (_forms(settings) or {}).get(action.event.type)
    problems = problems_of(form, action, ruling) if form is not None else []
    for problem in problems:
        click.echo(f"  left out: {problem.field} of the {problem.part} {problem.message}")
    return fitted(ruling, problems)


def _answer(ruling: Ruling, number: str | None) -> str:
    if ruling.verdict is Verdict.REJECT:
        return f"400 rejected: {ruling.reason}"
    if ruling.verdict is Verdict.DEFER:
        again = " (undecided: the worker asks the rules again)" if ruling.undecided else ""
        return f"202 deferred{': ' + ruling.reason if ruling.reason else ''}{again}"
    answer = {"declaration": ruling.declaration or None, "annotation": ruling.annotation, "registrationNumber": number}
    given = {name: value for name, value in answer.items() if value is not None}
    return "200 accepted: " + json.dumps(given, ensure_ascii=False)
