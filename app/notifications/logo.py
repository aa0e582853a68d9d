"""The country's logo: a file beside the templates that goes along with each e-mail, or an address to fetch it from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.notifications.errors import MessageError
from app.settings import LogoMode

CONTENT_ID = "logo@country-config"
LARGEST = 200_000  # bytes: it goes along with each e-mail
# SVG is shown by hardly any mail client.
_SIGNATURES = {".png": b"\x89PNG\r\n\x1a\n", ".jpg": b"\xff\xd8\xff", ".gif": b"GIF8"}
_TYPES = {".png": "png", ".jpg": "jpeg", ".gif": "gif"}


class BadLogo(MessageError):
    """A logo that mail clients would not show."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"{path}: {problem}")


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
    content = path.read_bytes()
    if not content.startswith(_SIGNATURES[path.suffix]):
        raise BadLogo(path, f"this is no {path.suffix[1:].upper()} picture")
    if len(content) > LARGEST:
        raise BadLogo(path, f"has {len(content):,} bytes, and goes along with each e-mail: {LARGEST:,} at most")
    return Logo(f"cid:{CONTENT_ID}", shown=True, image=Image(CONTENT_ID, _TYPES[path.suffix], content))


def _in(directory: Path) -> Path | None:
    return next((path for suffix in _TYPES if (path := directory / f"logo{suffix}").exists()), None)
