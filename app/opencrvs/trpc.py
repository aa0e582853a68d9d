"""tRPC with superjson, as core speaks it: one call in a batch of one. What its answer comes to is in `answers`.

A mutation is a POST of `{"0": {"json": {...}}}`; a query is a GET with the same as `input`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from app.opencrvs.answers import Answer, Done, RefusalCode, Refused, Result, Unavailable, judged, one_line, result

__all__ = [
    "LARGEST_ANSWER",
    "LARGEST_LIST",
    "Done",
    "RefusalCode",
    "Refused",
    "Result",
    "Unavailable",
    "mutate",
    "query",
]

LARGEST_ANSWER = 2**22  # bytes that are read; that it is a result is known by its first ones
LARGEST_LIST = 2**24  # bytes; a country's 20,000 locations take 5 to 10 million of them, by the length of their names

_IN_A_HEADER = re.compile(r"[\x21-\x7e]+").fullmatch
_NO_INPUT = '{"0":{"json":null,"meta":{"values":["undefined"]}}}'  # as superjson writes `undefined`


def mutate(
    url: str, procedure: str, fields: Mapping[str, Any], token: str, timeout: tuple[float, float]
) -> Done | Refused | Unavailable:
    """Call `{url}/{procedure}`. Raises nothing, follows no redirect, and lets the token be seen nowhere else."""
    try:
        body = json.dumps({"0": {"json": fields}}, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        return Refused(one_line(f"what is added is not JSON: {error}", token))
    answer = _call("POST", f"{url}/{procedure}", {"batch": "1"}, body, token, timeout, LARGEST_ANSWER)
    return judged(answer, token) if isinstance(answer, Answer) else answer


def query(
    url: str, procedure: str, token: str, timeout: tuple[float, float], fields: Mapping[str, str] | None = None
) -> Result | Refused | Unavailable:
    """Ask `{url}/{procedure}`, a query that is given these fields or nothing. Careful as `mutate` is."""
    parameters = {"batch": "1", "input": _NO_INPUT if fields is None else json.dumps({"0": {"json": fields}})}
    answer = _call("GET", f"{url}/{procedure}", parameters, None, token, timeout, LARGEST_LIST)
    return result(answer, token) if isinstance(answer, Answer) else answer


def _call(
    method: str,
    url: str,
    parameters: Mapping[str, str],
    body: bytes | None,
    token: str,
    timeout: tuple[float, float],
    largest: int,
) -> Answer | Refused | Unavailable:
    if not _IN_A_HEADER(token):
        return Refused("the token cannot be sent: it is empty, or holds what no header can")
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    try:
        with requests.request(
            method,
            url,
            params=parameters,
            data=body,
            headers=headers if body is None else headers | {"Content-Type": "application/json"},
            auth=_Bearer(token),
            timeout=timeout,
            allow_redirects=False,
            stream=True,
        ) as answer:
            content = _read(answer, largest, until=time.monotonic() + timeout[1])
    except (requests.RequestException, HTTPError) as error:
        # Its name only: the message of such an error may hold the URL with credentials, or the header.
        return Unavailable(f"no answer from core: {type(error).__name__}", destination_down=True)
    return Answer(answer.status_code, answer.headers.get("Retry-After"), content, is_whole=len(content) <= largest)


class _Bearer(AuthBase):
    """As `auth`, since requests lets a ~/.netrc replace a mere Authorization header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _read(answer: requests.Response, largest: int, *, until: float) -> bytes:
    """The answer, or as much of it as is looked at."""
    content = bytearray()
    while len(content) <= largest and (part := answer.raw.read1(65_536, decode_content=True)):
        content += part
        if time.monotonic() > until:
            raise requests.ReadTimeout
    return bytes(content)
