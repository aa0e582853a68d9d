"""`country-config messages check`: what is wrong with messages, before anybody receives one."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import click
from cryptography.fernet import Fernet

from app import country
from app.cleaning import clean
from app.cli.tables import print_table
from app.composition.messages import check_messages, message_variables
from app.notifications.checks.messages import Rehearsed
from app.notifications.checks.problems import Problem, Severity, error
from app.settings import Settings
from app.triggers.catalogue import trigger_types
from app.triggers.rehearsal import samples

_READ = (
    "APPLICATION_NAME",
    "CLIENT_APP_URL",
    "COUNTRY_CONFIG_URL",
    "COUNTRY_DIR",
    "DEFAULT_LANGUAGE",
    "EMAIL_LOGO",
    "LOGIN_URL",
    "NOTIFICATION_LANGUAGES",
    "OTP_TTL",
    "RECOVERY_LINK_TTL",
)
_LINE = re.compile(r".*rules\.py, line (\d+): ")
_NOT_LOOKED_AT = "mend it, and check again: the messages that it declares were not looked at"


@click.command()
@click.argument(
    "directory", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="[DIR]"
)
def check(directory: Path | None) -> None:
    """Make every message in every language, and say what is wrong and how to mend it. Exits 1 where there are errors.

    DIR is a country's directory; without it, COUNTRY_DIR. No database is asked, and nothing is sent.
    """
    settings = without_a_server(directory)
    declared, problems = _rules(settings)
    kinds = trigger_types(declared).values()
    every = [Rehearsed(sample, {"email", "sms"}) for sample in samples(kinds, message_variables(settings))]
    problems += check_messages(settings, every)
    _show(problems, settings)
    sys.exit(1 if any(problem.severity is Severity.ERROR for problem in problems) else 0)


def without_a_server(directory: Path | None) -> Settings:
    """The settings of the environment, as far as messages need them, for this country's directory.

    What is wrong with the others is not asked. Raises InvalidSettings.
    """
    environ = {name: os.environ[name] for name in _READ if name in os.environ}
    if directory is not None:
        environ["COUNTRY_DIR"] = str(directory)
    return Settings.from_env({**environ, "APP_ENV": "development", "SECRET_KEY": Fernet.generate_key().decode()})


def _rules(settings: Settings) -> tuple[country.Country, list[Problem]]:
    """What the country declares; where that cannot be read, nothing, and the problem."""
    file = f"{settings.country_dir}/rules.py"
    try:
        declared = country.load(settings.country_dir)
        trigger_types(declared)
    except country.InvalidRules as broken:
        line = _LINE.match(str(broken))
        what = str(broken)[line.end() :] if line else str(broken)
        problem = error(file, int(line.group(1)) if line else None, what, _NOT_LOOKED_AT)
    except OSError as closed:
        problem = error(file, None, f"cannot be read: {closed.strerror}", "let the server read it")
    except SystemExit:
        problem = error(file, None, "ends the program, with exit() or the like", _NOT_LOOKED_AT)
    else:
        return declared, []
    return country.Country(), [problem]


def _show(problems: list[Problem], settings: Settings) -> None:
    if problems:
        print_table(
            ["", "File", "Row", "What", "How to mend it"],
            [(one.severity, _shown(one.file), str(one.row or ""), one.what, one.cure) for one in problems],
        )
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    where = _shown(str(settings.country_dir)) if settings.country_dir else "the shipped messages"
    warnings = len(problems) - errors
    counted = f"{errors} error{'s'[errors == 1 :]}, {warnings} warning{'s'[warnings == 1 :]}"
    click.echo(f"{where}: {counted}; required languages: {', '.join(settings.languages)}")


def _shown(file: str) -> str:
    """Relative to where one is, where that is shorter."""
    relative = os.path.relpath(file) if Path(file).is_absolute() else file
    return clean(min(file, relative, key=len))
