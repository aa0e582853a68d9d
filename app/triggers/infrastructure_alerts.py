"""What POST /email may send: alerts of the infrastructure, in the registry's name, to its own operators.

The infrastructure of core sends one address in `from` and in `to`: `{{SENDER_EMAIL_ADDRESS}}` and `{{ALERT_EMAIL}}`
(opencrvs-countryconfig, infrastructure/monitoring/elastalert/rules). Several in `to` are taken with commas.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

from app.environment.domains import MAILBOX, ascii_domain
from app.http.errors import Refused
from app.settings import Settings

MAX_HTML = 100_000  # bytes
MAX_TAGS = 5_000
MAX_WORDS_IN_A_TAG = 500  # the time to read a tag grows with the square of its attributes
_MAX_SUBJECT = 500  # characters
_QUOTED = re.compile(r"""\"[^"]*"|'[^']*'""")
_BETWEEN_WORDS = re.compile(r"[\s/]+")
_MAX_ADDRESSES = 2_000  # characters of `from` or `to`


@dataclass(frozen=True)
class AlertRules:
    """Whom an alert may name as its sender, and to whom it may go."""

    sender: str
    domain: str
    recipient: str
    recipient_domains: tuple[str, ...]

    @classmethod
    def from_settings(cls, settings: Settings) -> AlertRules:
        return cls(
            sender=settings.sender_email_address,
            domain=settings.domain,
            recipient=settings.alert_email,
            recipient_domains=settings.alert_recipient_domains,
        )

    def check(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return the alert with the bare addresses of `to`, so that what is kept is what was judged.

        Raises Refused: 413 for an HTML that is too long, 400 for what is malformed, 403 for addresses of others.
        """
        _check_html(payload["html"])
        if len(payload["subject"]) > _MAX_SUBJECT:
            raise _refused(400, "subject", f"the subject is too long: send at most {_MAX_SUBJECT} characters")
        self._check_sender(payload["from"])
        return {**payload, "to": ", ".join(self._recipients(payload["to"]))}

    def _check_sender(self, sender: str) -> None:
        address = _bare_address(sender)
        # The mail is sent by what parseaddr finds, so both readings must agree.
        if address is None or (parseaddr(sender)[1] != address and sender != self.sender):
            raise _refused(400, "from", "this is not one e-mail address: send {{SENDER_EMAIL_ADDRESS}}, or name@domain")
        if not (_is_same(address, self.sender) or _is_within(address, (self.domain,))):
            raise _refused(403, "from", "this sender is not the registry's: use SENDER_EMAIL_ADDRESS or DOMAIN's own")

    def _recipients(self, recipients: str) -> list[str]:
        if not recipients.strip():
            raise _refused(400, "to", "there is no recipient: set ALERT_EMAIL, for which {{ALERT_EMAIL}} stands")
        addresses = []
        for recipient in recipients.split(",") if len(recipients) <= _MAX_ADDRESSES else [""]:
            address = _bare_address(recipient)
            if address is None:
                raise _refused(400, "to", "this is not a list of e-mail addresses: send name@domain, with commas")
            if not (_is_same(address, self.recipient) or _is_within(address, self.recipient_domains)):
                raise _refused(403, "to", "alerts may not go there: set ALERT_EMAIL or ALERT_RECIPIENT_DOMAINS")
            addresses.append(address)
        return addresses


def _check_html(html: str) -> None:
    """Bound what it costs to render: one-time codes are rendered by the same process."""
    if len(html.encode("utf-8", "surrogatepass")) > MAX_HTML:
        raise _refused(413, "html", f"the HTML is too long: send at most {MAX_HTML // 1000} kB")
    if html.count("<") > MAX_TAGS:
        raise _refused(400, "html", f"the HTML has too many tags: send at most {MAX_TAGS}")
    if any(_words_in_tag(part) > MAX_WORDS_IN_A_TAG for part in html.split("<")[1:]):
        raise _refused(400, "html", "a tag of the HTML is too long: put its style into classes")


def _words_in_tag(part: str) -> int:
    """Count what may be attributes, in what stands between one < and the next."""
    tag, _, _ = _QUOTED.sub(" ", part).partition(">")
    return len(_BETWEEN_WORDS.split(tag))


def _bare_address(mailbox: str) -> str | None:
    """The address of one mailbox, with a name or without; None if it is malformed, such as for a control character."""
    mailbox = mailbox.strip(" ")
    if len(mailbox) > _MAX_ADDRESSES or MAILBOX.fullmatch(mailbox) is None:
        return None
    return mailbox.rpartition("<")[2].removesuffix(">")


def _is_same(address: str, configured: str) -> bool:
    return bool(configured) and address.casefold() == (_bare_address(configured) or "").casefold()


def _is_within(address: str, domains: tuple[str, ...]) -> bool:
    """Whether the address is of one of these domains, or of a domain below one."""
    domain = ascii_domain(address.rpartition("@")[2])
    return any(f".{domain}".endswith(f".{ascii_domain(parent)}") for parent in domains)


def _refused(status: int, field: str, message: str) -> Refused:
    error = {400: "Invalid payload", 403: "Forbidden", 413: "Request entity too large"}[status]
    return Refused(status, error, [{"path": [field], "message": message}])
