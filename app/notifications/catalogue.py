"""The messages that there are, and the rules of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.outbox.states import Priority


class Expiry(StrEnum):
    """What core accepts for a limited time. The value is the setting that says for how long."""

    CODE = "OTP_TTL"
    LINK = "RECOVERY_LINK_TTL"


@dataclass(frozen=True)
class Message:
    """One message. Its e-mail is `templates/email/{name}.html`, its SMS the wording with the id `sms_id`.

    Where that template is not there, it is the first of `shared` that is. A message without an `sms_id` is e-mail only.
    `to_registered_email` goes to the e-mail address that is on file, by whatever method messages usually go: it
    concerns a change of the address itself. One that is an `announcement` goes to the recipient's `bcc` too.
    Without the variables in `essential` it would be of no use. A message with an `expiry` is not sent after it.
    """

    name: str
    sms_id: str | None
    priority: Priority = Priority.TRANSACTIONAL
    expiry: Expiry | None = None
    to_registered_email: bool = False
    announcement: bool = False
    shared: tuple[str, ...] = ()
    essential: tuple[str, ...] = ()


ALERT = Message("alert", sms_id=None)  # POST /email: comes with its own subject and HTML
DECISION_OPEN = Message("decision-open", sms_id=None)  # to ALERT_EMAIL, of a decision that waits for too long

_CODE = ("code",)
_CREDENTIALS = ("username", "temporaryPassword")
_LINK = ("recoveryURL",)

USER_MESSAGES = {
    message.name: message
    for message in (
        Message("user-created", "userCredentialsNotification", essential=_CREDENTIALS),
        Message("user-updated", "updateUserNameNotification", essential=("newUsername",)),
        Message("username-reminder", "retieveUserNameNotification", essential=("username",)),
        Message("reset-password", "resetUserPasswordNotification", Priority.OTP, Expiry.CODE, essential=_CODE),
        Message("reset-password-by-admin", "resetUserPasswordByAdminNotification", essential=("temporaryPassword",)),
        Message("resend-invite", "resendInviteNotification", essential=_CREDENTIALS),
        Message("2fa", "authenticationCodeNotification", Priority.OTP, Expiry.CODE, essential=_CODE),
        Message("all-user-notification", None, Priority.BULK, announcement=True, essential=("body",)),
        Message(
            "change-phone-number",
            "changePhoneNumberNotification",
            Priority.OTP,
            Expiry.CODE,
            to_registered_email=True,
            essential=_CODE,
        ),
        Message(
            "change-email-address",
            "changeEmailAddressNotification",
            Priority.OTP,
            Expiry.CODE,
            to_registered_email=True,
            essential=_CODE,
        ),
        Message("password-reset-link", "resetPasswordLinkNotification", Priority.OTP, Expiry.LINK, essential=_LINK),
        Message(
            "username-reminder-link", "retrieveUsernameLinkNotification", Priority.OTP, Expiry.LINK, essential=_LINK
        ),
    )
}


class News(StrEnum):
    """What an informant hears of a declaration."""

    IN_PROGRESS = "in-progress"
    IN_REVIEW = "in-review"
    REGISTERED = "registered"
    REJECTED = "rejected"
    CORRECTION_APPROVED = "correction-approved"
    CORRECTION_REJECTED = "correction-rejected"


INFORMANT = "informant"  # the template of all news
FAMILIES = ("birth", "death", "marriage")
OTHER = "other"  # the general wording, for any other event type

NEWS_OF = {  # by the type of the action that is accepted
    "NOTIFY": News.IN_PROGRESS,
    "DECLARE": News.IN_REVIEW,
    "REGISTER": News.REGISTERED,
    "REJECT": News.REJECTED,
    "APPROVE_CORRECTION": News.CORRECTION_APPROVED,
    "REJECT_CORRECTION": News.CORRECTION_REJECTED,
}
_SMS_IDS = {
    News.IN_PROGRESS: "InProgressNotification",
    News.IN_REVIEW: "DeclarationNotification",
    News.REGISTERED: "RegistrationNotification",
    News.REJECTED: "RejectionNotification",
    News.CORRECTION_APPROVED: "CorrectionApprovedNotification",
    News.CORRECTION_REJECTED: "CorrectionRejectedNotification",
}

INFORMANT_MESSAGES = {
    f"{family}-{news}": Message(f"{family}-{news}", f"{family}{_SMS_IDS[news]}", shared=(news, INFORMANT))
    for family in (*FAMILIES, OTHER)
    for news in News
}


def family_of(event_type: str) -> str:
    """Whose wording an event type has."""
    return event_type if event_type in FAMILIES else OTHER


def informant_message(event_type: str, action_type: str) -> Message | None:
    """What an informant is told when such an action is accepted; None where it is no news."""
    news = NEWS_OF.get(action_type)
    return None if news is None else INFORMANT_MESSAGES[f"{family_of(event_type)}-{news}"]
