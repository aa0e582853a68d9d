"""Where a country configuration in TypeScript has its messages, and which of ours each of them is."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.notifications.catalogue import FAMILIES, OTHER, News
from app.notifications.errors import MessageError

FOLDERS = (*FAMILIES, OTHER)
WORDING = "notification.csv"

_INFORMANT = {
    "inProgress": News.IN_PROGRESS,
    "inReview": News.IN_REVIEW,
    "registration": News.REGISTERED,
    "rejection": News.REJECTED,
    "correction-approved": News.CORRECTION_APPROVED,
    "correction-rejected": News.CORRECTION_REJECTED,
}
_OF_OTHER = {
    "onboarding-invite": "user-created",
    "resend-invite": "resend-invite",
    "username-updated": "user-updated",
    "username-reminder": "username-reminder",
    "password-reset": "reset-password",
    "password-reset-by-system-admin": "reset-password-by-admin",
    "2-factor-authentication": "2fa",
    "password-reset-link": "password-reset-link",
    "username-reminder-link": "username-reminder-link",
    "change-phone-number": "change-phone-number",
    "change-email-address": "change-email-address",
    "all-user-notification": "all-user-notification",
    "correction-approved": News.CORRECTION_APPROVED,  # of all events
    "correction-rejected": News.CORRECTION_REJECTED,
}
_USUAL = ("email-templates", "translations")  # where the reference has them
_NOT_SOURCES = frozenset({"node_modules", "build", "dist", "out", "coverage"})


class NoSources(MessageError):
    """There is nothing to import, or too much to choose from; the message says what to give instead."""


@dataclass(frozen=True)
class Sources:
    """`templates` lie in folders of `root`; None and empty where there are none."""

    root: Path | None
    templates: Sequence[Path]
    wording: Path | None


def find(source: Path) -> Sources:
    """Look for e-mail templates and the CSV in a directory and all below it. Raises NoSources."""
    source = source.resolve()
    directories = dict(_directories(source))
    wording = _only([path / WORDING for path, files in directories.items() if WORDING in files], "files")
    if source.name in FOLDERS and _templates_of(source):
        return Sources(source.parent, sorted(source.glob("*.html")), wording)
    root = _only([path for path in directories if any(_templates_of(path / name) for name in FOLDERS)], "directories")
    if root is None and wording is None:
        folders = ", ".join(FOLDERS)
        raise NoSources(
            f"{source}: found neither e-mail templates (directories {folders} with .html files) nor {WORDING}. "
            "Give the directory of a country configuration."
        )
    return Sources(root, sorted(root.rglob("*.html")) if root else (), wording)


def message_of(template: Path) -> str | None:
    """The name of our message, by the template's folder and file; None where we have none like it."""
    folder, name = template.parent.name, template.stem
    if folder == OTHER and name in _OF_OTHER:
        return _OF_OTHER[name]
    return f"{folder}-{_INFORMANT[name]}" if folder in FOLDERS and name in _INFORMANT else None


def _directories(source: Path) -> Iterator[tuple[Path, Sequence[str]]]:
    """Each with the names of its files."""
    for directory, below, files in os.walk(source):
        below[:] = sorted(name for name in below if not name.startswith(".") and name not in _NOT_SOURCES)
        yield Path(directory), files


def _templates_of(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*.html") if message_of(path) is not None]


def _only(found: Sequence[Path], what: str) -> Path | None:
    """The one that there is, or that lies where it usually does. Raises NoSources where there are several."""
    usual = [path for path in found if path.name in _USUAL or path.parent.name in _USUAL]
    chosen = usual if len(usual) == 1 else found
    if len(chosen) > 1:
        listed = "".join(f"\n  {path}" for path in chosen)
        raise NoSources(f"Several {what} could be meant. Give the one that is:{listed}")
    return chosen[0] if chosen else None
