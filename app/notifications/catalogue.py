"""The messages that user triggers cause, and the rules of each."""

from __future__ import annotations

from dataclasses import dataclass

from app.outbox.states import Priority


@dataclass(frozen=True)
class Message:
    """One message. Its e-mail is `templates/email/{name}.html`, its SMS the wording with the id `sms_id`.

    A message without an `sms_id` is e-mail only. `to_registered_email` goes to the e-mail address that is on file,
    by whatever method messages usually go: it concerns a change of the address itself. One that is an `announcement`
    goes to the recipient's `bcc` too.
    """

    name: str
    sms_id: str | None
    priority: Priority = Priority.TRANSACTIONAL
    to_registered_email: bool = False
    announcement: bool = False


ALERT = Message("alert", sms_id=None)  # POST /email: comes with its own subject and HTML
DECISION_OPEN = Message("decision-open", sms_id=None)  # to ALERT_EMAIL, of a decision that waits for too long

USER_MESSAGES = {
    message.name: message
    for message in (
        Message("user-created", "userCredentialsNotification"),
        Message("user-updated", "updateUserNameNotification"),
        Message("username-reminder", "retieveUserNameNotification"),
        Message("reset-password", "resetUserPasswordNotification", Priority.OTP),
        Message("reset-password-by-admin", "resetUserPasswordByAdminNotification"),
        Message("resend-invite", "resendInviteNotification"),
        Message("2fa", "authenticationCodeNotification", Priority.OTP),
        Message("all-user-notification", None, Priority.BULK, announcement=True),
        Message("change-phone-number", "changePhoneNumberNotification", Priority.OTP, to_registered_email=True),
        Message("change-email-address", "changeEmailAddressNotification", Priority.OTP, to_registered_email=True),
    )
}
