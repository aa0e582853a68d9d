"""Reading a country's `rules.py`, and where in it an error came from."""

from __future__ import annotations

import runpy
from pathlib import Path

from app.country.country import Country
from app.country.declarations import Declarations, InvalidRules, declared

NOWHERE = "an unknown place"


def load(directory: Path | None) -> Country:
    """Run the directory's `rules.py`, where there is one. Raises InvalidRules."""
    if directory is None:
        return Country()
    if not directory.is_dir():
        raise InvalidRules(f"COUNTRY_DIR is {directory}, which is not a directory")
    rules = directory / "rules.py"
    if not rules.exists():
        return Country(directory)
    found = Declarations()
    token = declared.set(found)
    try:
        runpy.run_path(str(rules), run_name="rules")
    except Exception as error:
        said = str(error) if isinstance(error, InvalidRules) else f"{type(error).__name__}: {error}"
        raise InvalidRules(f"{rules}, line {_line_of(error, rules)}: {said}") from error
    finally:
        declared.reset(token)
    return Country(
        directory,
        found.triggers,
        tuple(found.rules),
        found.numbers,
        tuple(found.on_ready),
        found.informants,
        found.language_rule,
        found.analytics,
    )


def place_of(error: BaseException) -> str:
    """Where in the country's `rules.py` an error came out of, such as rules.py:12."""
    line = _line_of(error, Path("rules.py"))
    return f"rules.py:{line}" if line else NOWHERE


def _line_of(error: BaseException, rules: Path) -> int:
    """The line of `rules.py` that the error came out of; 0 where it cannot be told."""
    line = getattr(error, "lineno", None) or 0
    trace = error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).name == rules.name:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
