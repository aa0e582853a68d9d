"""What is wrong with messages, as values that say where, what, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

_MOST_NAMED = 3  # files


class Severity(StrEnum):
    """An error fails the check; a warning costs money or looks bad."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Problem:
    """`row` counts from 1, as a spreadsheet or an editor does; None where it is the file as a whole.

    `goes_out` where the message reaches people all the same, and says what it should: it only looks bad.
    """

    severity: Severity
    file: str
    row: int | None
    what: str
    cure: str
    goes_out: bool = False

    @property
    def where(self) -> str:
        """The file, and in it the row or line."""
        counted = "row" if self.file.endswith(".csv") else "line"
        return f"{self.file}, {counted} {self.row}" if self.row else self.file


def error(file: Path | str, row: int | None, what: str, cure: str) -> Problem:
    """One that stops a deployment."""
    return Problem(Severity.ERROR, str(file), row, what, cure)


def flaw(file: Path | str, row: int | None, what: str, cure: str) -> Problem:
    """An error in how a message looks, which stops a build and no server."""
    return Problem(Severity.ERROR, str(file), row, what, cure, goes_out=True)


def warning(file: Path | str, row: int | None, what: str, cure: str) -> Problem:
    """One that does not."""
    return Problem(Severity.WARNING, str(file), row, what, cure, goes_out=True)


def told_once(problems: Iterable[Problem]) -> list[Problem]:
    """Errors first, each once; what is wrong alike in several places is told of the first, and where else."""
    alike: dict[tuple[Severity, str, str], list[Problem]] = {}
    for problem in problems:
        places = alike.setdefault((problem.severity, problem.what, problem.cure), [])
        if problem not in places:
            places.append(problem)
    told = [replace(first, what=first.what + _elsewhere(first, more)) for first, *more in alike.values()]
    return sorted(told, key=lambda one: (one.severity, one.file, one.row or 0))


def _elsewhere(first: Problem, more: list[Problem]) -> str:
    """Such as " (and in 4 more: translations/pt.csv, translations/sw.csv)": the other files, as far as they are few."""
    if not more:
        return ""
    files = sorted({"/".join(Path(one.file).parts[-2:]) for one in more if one.file != first.file})
    named = ", ".join(files[:_MOST_NAMED]) + (", …" if len(files) > _MOST_NAMED else "")
    return f" (and in {len(more)} more{': ' * bool(named)}{named})"
