"""The HTML of an e-mail as a frame in a page can show it: its pictures inside, its colours as if chosen."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

from lxml.etree import LxmlError
from lxml.html import document_fromstring

from app.notifications.logo import Image

_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)", re.IGNORECASE)
_DECLARED = re.compile(
    r"""(<meta\s[^<>]{0,200}name=["'](?:supported-color-schemes|color-scheme)["'][^<>]{0,200}content=)["'][^"']*["']"""
)
_ALWAYS, _NEVER = "(min-width: 0)", "(max-width: 0)"
_FROM_ELSEWHERE = re.compile(r"""<img\b[^<>]*\ssrc=["']?https?:""", re.IGNORECASE)
_HIDDEN = "//body//*[contains(translate(@style, ' ', ''), 'display:none')]"


def in_colours(html: str, *, dark: bool) -> str:
    """As on a device that is set to dark or to light, whatever this one is set to."""
    chosen = "dark" if dark else "light"
    html = _SCHEME.sub(lambda query: _ALWAYS if query.group(1).lower() == chosen else _NEVER, html)
    return _DECLARED.sub(rf'\1"{chosen}"', html)


def with_pictures(html: str, images: Iterable[Image]) -> str:
    """With the pictures that go along put where the HTML names them."""
    for image in images:
        data = base64.b64encode(image.content).decode("ascii")
        html = html.replace(f"cid:{image.content_id}", f"data:image/{image.subtype};base64,{data}")
    return html


def has_pictures_from_elsewhere(html: str) -> bool:
    """Whether a reader's program would have to fetch some, which a preview does not."""
    return bool(_FROM_ELSEWHERE.search(html))


def preheader(html: str) -> str:
    """What lists show behind the subject: the text that is hidden at the top of the e-mail. "" where there is none."""
    try:
        hidden = document_fromstring(html).xpath(_HIDDEN)
    except (LxmlError, ValueError):  # of a page that is empty, or no HTML at all
        return ""
    return " ".join(str(hidden[0].text_content()).split()) if hidden else ""
