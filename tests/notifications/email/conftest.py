"""The mail server, for the tests of this folder."""

from __future__ import annotations

from tests.notifications.email.smtp_server import (
    ca_file,
    certificate,
    certificate_authority,
    mail_server,
    make_mail_server,
)

__all__ = ["ca_file", "certificate", "certificate_authority", "mail_server", "make_mail_server"]
