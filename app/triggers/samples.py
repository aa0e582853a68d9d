"""One realistic payload of each user trigger, for trying things out and for previews."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
}
