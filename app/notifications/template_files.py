"""The templates of several directories, read once: what changes on the disk later changes no message."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from jinja2 import BaseLoader, Environment, FileSystemLoader, TemplateNotFound

_Source = tuple[str, str, Callable[[], bool]]

DEFAULT = "default/"


class TemplateFiles(BaseLoader):
    """Of `directories` the first that has a file wins; those of the last can also be named `default/<name>`.

    A file that cannot be read is an error when it is asked for, and not before.
    """

    def __init__(self, directories: Sequence[Path]) -> None:
        self._read: dict[str, _Source | Exception] = {}
        for directory in reversed(directories):
            there = _read(directory)
            if directory == directories[-1]:
                self._read |= {f"{DEFAULT}{name}": source for name, source in there.items()}
            self._read |= there

    def get_source(self, _environment: Environment, template: str) -> _Source:
        found = self._read.get(template)
        if found is None:
            raise TemplateNotFound(template)
        if isinstance(found, Exception):
            raise found.with_traceback(None)
        return found


def _read(directory: Path) -> dict[str, _Source | Exception]:
    loader, anywhere = FileSystemLoader(directory), Environment(autoescape=True)
    found: dict[str, _Source | Exception] = {}
    for name in loader.list_templates():
        if not os.path.isfile(directory / name):  # noqa: PTH113  never raises
            continue
        try:
            source, path, _ = loader.get_source(anywhere, name)
        except (OSError, UnicodeDecodeError) as error:
            found[name] = error
        else:
            found[name] = (source, str(path), lambda: True)
    return found
