"""A POST to a URL that a client chose: only to addresses that are permitted, and bounded in time and size."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy

import requests
from urllib3.exceptions import HTTPError

from app.masking import mask
from app.retry_after import pause
from app.webhooks.addresses import AllowedAddresses
from app.webhooks.guarded_connections import Guard, GuardedAdapter, NoAnswer

__all__ = ["LARGEST_ANSWER", "Answer", "NoAnswer", "post"]

LARGEST_ANSWER = 16_384  # bytes that are read
LONGEST_PAUSE = 86_400.0  # seconds that Retry-After may ask for
_LONGEST_EXCERPT = 500
_USER_AGENT = "country-config"


@dataclass(frozen=True)
class Answer:
    """What came back. `excerpt` is the beginning of its body as one line, masked; what is compressed is not shown.

    `retry_after` is the pause in seconds that was asked for.
    """

    status: int
    excerpt: str = field(repr=False)
    retry_after: float | None = None


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allowed: AllowedAddresses,
    timeout: float = 15.0,
    connect_timeout: float | None = None,
    ca_file: str | None = None,
) -> Answer:
    """Send it once, within `timeout` seconds in all, `connect_timeout` of them for the connection. Follows no redirect.

    Once the head of the answer is there, a body that does not come or breaks off only makes the excerpt shorter.
    `ca_file` has the certificate authorities that are trusted, those of requests where it is None. Raises ForbiddenUrl,
    and NoAnswer where it is not known whether the receiver has it.
    """
    target = allowed.target(url)
    sent = {"User-Agent": _USER_AGENT, **headers, "Accept-Encoding": "identity", "Connection": "close"}
    with Guard(allowed, timeout, connect_timeout) as guard, _Session() as session:
        session.mount(f"{target.scheme}://", GuardedAdapter(guard, ca_file))
        try:
            answer = session.post(target.url, data=body, headers=sent, timeout=timeout, stream=True)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise guard.no_answer(error) from None
        with answer:
            if guard.is_over:  # a head that is cut off there looks whole
                raise guard.no_answer()
            return Answer(answer.status_code, _excerpt(answer), pause(answer.headers.get("Retry-After"), LONGEST_PAUSE))


class _Session(requests.Session):
    """Without redirects, cookies, and what the environment says of proxies and passwords."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.headers.clear()
        self.adapters.clear()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002  as it is called
        # requests looks for a target even where redirects are not allowed, and reads the whole body before it.
        return None


def _excerpt(answer: requests.Response) -> str:
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        return ""
    content = bytearray()
    with suppress(HTTPError, OSError, ValueError):
        while len(content) < LARGEST_ANSWER and (part := answer.raw.read1(LARGEST_ANSWER, decode_content=False)):
            content += part
    text = bytes(content[:LARGEST_ANSWER]).decode("utf-8", "replace")
    shown = "".join(one if one.isprintable() else " " for one in text)
    return mask(" ".join(shown.split()))[:_LONGEST_EXCERPT]
