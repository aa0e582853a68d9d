"""The payloads of the user triggers, in agreement with core's own schemas.

Unknown keys are left out, null is not absent, strings may be empty, and no format is checked: core checks none.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields

from app.http.problems import MOST_PROBLEMS


class Payload(Schema):
    """What all payloads have in common. The order of the fields is the order in which problems are reported."""

    class Meta:
        unknown = EXCLUDE


class NameFieldValue(Payload):
    """A person's name as core's name field holds it."""

    firstname = fields.String(required=True)
    surname = fields.String(required=True)
    middlename = fields.String()


class Strings(fields.Field[list[str]]):
    """A list of strings, of any length: marshmallow's own takes seconds and hundreds of megabytes for a long one.

    Of its problems only the first are found.
    """

    default_error_messages = {"invalid": "Not a valid list."}  # noqa: RUF012  as marshmallow declares it

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> list[str]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        wrong = (position for position, item in enumerate(value) if not isinstance(item, str))
        if errors := {position: ["Not a valid string."] for position in islice(wrong, MOST_PROBLEMS)}:
            raise ValidationError(errors)
        return value


class Recipient(Payload):
    """Whom to tell; nothing in it is required. `bcc` are further e-mail addresses."""

    name = fields.Nested(NameFieldValue)
    mobile = fields.String()
    email = fields.String()
    bcc = Strings()


class WithRecipient(Payload):
    """A payload that says whom to tell."""

    recipient = fields.Nested(Recipient, required=True)


class Credentials(WithRecipient):
    """user-created and resend-invite."""

    username = fields.String(required=True)
    temporaryPassword = fields.String(required=True)  # noqa: N815  core's name


class UsernameChange(WithRecipient):
    """user-updated."""

    oldUsername = fields.String(required=True)  # noqa: N815
    newUsername = fields.String(required=True)  # noqa: N815


class Username(WithRecipient):
    """username-reminder."""

    username = fields.String(required=True)


class Code(WithRecipient):
    """reset-password, 2fa, change-phone-number and change-email-address."""

    code = fields.String(required=True)


class RecoveryToken(WithRecipient):
    """password-reset-link and username-reminder-link, which core sends from 2.1 on."""

    token = fields.String(required=True)


class Admin(Payload):
    """The administrator who did it."""

    id = fields.String(required=True)
    name = fields.Nested(NameFieldValue, required=True)
    role = fields.String(required=True)


class PasswordByAdmin(WithRecipient):
    """reset-password-by-admin."""

    temporaryPassword = fields.String(required=True)  # noqa: N815
    admin = fields.Nested(Admin, required=True)


class Announcement(WithRecipient):
    """all-user-notification: `recipient.email` is the admin, `recipient.bcc` up to 500 users."""

    subject = fields.String(required=True)
    body = fields.String(required=True)


class InfrastructureAlert(Payload):
    """POST /email. The sender has a trailing underscore because `from` is a word of Python's."""

    subject = fields.String(required=True)
    html = fields.String(required=True)
    from_ = fields.String(required=True, data_key="from", attribute="from")
    to = fields.String(required=True)
