"""The country's logo: a file beside the templates that goes along with each e-mail, or an address to fetch it from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.notifications.faults import Fault, UnusableFile
from app.settings import LogoMode

CONTENT_ID = "logo@country-config"
LARGEST = 200_000  # bytes: it goes along with each e-mail
# SVG is shown by hardly any mail client.
_SIGNATURES = {".png": b"\x89PNG\r\n\x1a\n", ".jpg": b"\xff\xd8\xff", ".gif": b"GIF8"}
_TYPES = {".png": "png", ".jpg": "jpeg", ".gif": "gif"}


class BadLogo(UnusableFile):
    """A logo that mail clients would not show."""

    def __init__(self, path: Path, what: str, cure: str) -> None:
        super().__init__(path, [Fault(what, cure)])


@dataclass(frozen=True)
class Image:
    """A picture inside of an e-mail, which its HTML names as `cid:` and the content id. `subtype` is that of image/."""

    content_id: str
    subtype: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Logo:
    """`address` is what an `<img>` names; `shown` says whether the layout shows it; `image` is what goes along."""

    address: str
    shown: bool
    image: Image | None = None


def load(directories: Sequence[Path], mode: LogoMode, link: str) -> Logo:
    """`logo.png`, `logo.jpg` or `logo.gif` of the first template directory that has one. Raises BadLogo."""
    path = next((path for path in (_in(directory) for directory in directories) if path is not None), None)
    if mode is not LogoMode.EMBEDDED or path is None:
        return Logo(link, shown=mode is LogoMode.LINKED)
    kind = path.suffix[1:].upper()
    try:
        size = path.stat().st_size
        if size > LARGEST:
            cure = f"make it smaller, {LARGEST // 1000} kB at most: 88 pixels of height are enough"
            raise BadLogo(path, f"has {size // 1000:,} kB, and goes along with each e-mail", cure)
        content = path.read_bytes()
    except OSError as error:
        raise BadLogo(path, f"cannot be read: {error.strerror}", "let the server read it") from None
    if not content.startswith(_SIGNATURES[path.suffix]):
        raise BadLogo(path, f"is no {kind} picture", f"save it as {kind}: its name alone does not make it one")
    return Logo(f"cid:{CONTENT_ID}", shown=True, image=Image(CONTENT_ID, _TYPES[path.suffix], content))


def _in(directory: Path) -> Path | None:
    paths = [directory / f"logo{suffix}" for suffix in _TYPES]
    return next((path for path in paths if os.path.isfile(path)), None)  # noqa: PTH113  never raises
