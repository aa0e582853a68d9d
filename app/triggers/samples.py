"""Realistic payloads and values, for trying things out and for previews."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.notifications.catalogue import Expiry
from app.notifications.variables import MessageVariables
from app.records.informant import Informant

_RECIPIENT = {
    "name": {"firstname": "Amina", "middlename": "Bwalya", "surname": "Mwale"},
    "email": "amina.mwale@registry.test",
    "mobile": "0977111222",
}
_CREDENTIALS = {"recipient": _RECIPIENT, "username": "a.mwale", "temporaryPassword": "Kafue-4827"}

USER_SAMPLES: Mapping[str, Mapping[str, Any]] = {
    "user-created": _CREDENTIALS,
    "user-updated": {"recipient": _RECIPIENT, "oldUsername": "a.mwale", "newUsername": "amina.mwale"},
    "username-reminder": {"recipient": _RECIPIENT, "username": "a.mwale"},
    "reset-password": {"recipient": _RECIPIENT, "code": "481920"},
    "reset-password-by-admin": {
        "recipient": _RECIPIENT,
        "temporaryPassword": "Luangwa-3915",
        "admin": {
            "id": "6f2b8a54-4d2c-4c8e-9a57-0e5d2f1c7b3a",
            "name": {"firstname": "Joseph", "surname": "Banda"},
            "role": "NATIONAL_SYSTEM_ADMIN",
        },
    },
    "resend-invite": _CREDENTIALS,
    "2fa": {"recipient": _RECIPIENT, "code": "730164"},
    "all-user-notification": {
        "recipient": {
            "email": "joseph.banda@registry.test",
            "bcc": ["amina.mwale@registry.test", "g.phiri@registry.test"],
        },
        "subject": "Maintenance on Saturday evening",
        "body": "OpenCRVS will not be available on Saturday from 20:00 to 22:00.\n\n"
        "Please finish and save your open declarations before then.",
    },
    "change-phone-number": {"recipient": _RECIPIENT, "code": "205518"},
    "change-email-address": {"recipient": _RECIPIENT, "code": "946137"},
    # As core makes its tokens: 16 random bytes in base64.
    "password-reset-link": {"recipient": _RECIPIENT, "token": "q3+Zp/8nRw1xT5uYbK2mJg=="},
    "username-reminder-link": {"recipient": _RECIPIENT, "token": "Vt0/hX7+c4LsQ9aWmD1eRw=="},
}
SAMPLE_VARIABLES = MessageVariables("https://login.registry.test", {Expiry.CODE: 600, Expiry.LINK: 3_600})
"""What messages look like where no settings are at hand."""

DECISION_OPEN_SAMPLE: Mapping[str, str] = {
    "count": "23",
    "decisions": "B7K3QX\nbirth\nREGISTER\nrefused\nending refused\n2026-05-08 10:00 UTC\n\n"
    "M2XTW9\nmarriage\nREQUEST_CORRECTION\ndeferred\nundecided\n2026-05-14 08:30 UTC",
    "more": "21",
}
# What is long and still occurs, by the names of variables: it decides how many segments an SMS has.
LONG_VALUES: Mapping[str, str] = {
    "name": "Christabel Nkandu Mwansa-Mulenga",
    "informantName": "Christabel Nkandu Mwansa-Mulenga",
    "firstname": "Christabel",
    "username": "c.mwansa-mulenga",
    "oldUsername": "c.mwansa-mulenga",
    "newUsername": "christabel.mwansa-mulenga",
    "registrationNumber": "2026-LSK-0001234567-7",
    "trackingId": "B7K3QXM2",
    "crvsOffice": "Kapiri Mposhi District Civil Registry",
    "registrationLocation": "Kapiri Mposhi District Civil Registry",
    "firstNames": "Christabel",
    "lastName": "Nkandu Mwansa-Mulenga",
    "reason": "The mother's name on the hospital's letter is not that of her identity card. Please bring both cards",
}
_SUBJECTS = {
    "birth": "Chanda Natasha Mwale",
    "death": "Mutale Joseph Banda",
    "marriage": "Thandiwe Phiri & Kennedy Lungu",
}
_REASONS = {
    "REJECT": "The date of birth on the hospital's letter is another one. Please bring the letter.",
    "REJECT_CORRECTION": "The document that was shown does not prove the new spelling.",
}


def informant_sample(event_type: str, action_type: str) -> dict[str, Any]:
    """What is known of a declaration when such an action is accepted, as arguments of informant_variables."""
    return {
        "tracking_id": "B7K3QX",
        "informant": Informant(
            email="amina.mwale@family.test",
            mobile="0977111222",
            name="Amina Bwalya Mwale",
            firstname="Amina",
            subject=_SUBJECTS.get(event_type, "Natasha Mwale"),
        ),
        "office": "Lusaka Central Civil Registry",
        "registration_number": "2026-LSK-000123-7" if action_type == "REGISTER" else "",
        "reason": _REASONS.get(action_type, ""),
    }
