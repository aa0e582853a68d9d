"""Everything that a country's `rules.py` can import: the extension points, and how they are read.

from app.country import Accept, Informant, Reject, analytics, birth_figures, fields, informant, on_action
from app.country import registration_number, trigger

@on_action("birth", "REGISTER")
def register_birth(action):
    if not action.declaration.get("child.dob"):
        return Reject("The date of birth is missing")
    return Accept(declaration={"child.checked": True})

@registration_number("birth")
def birth_number(action, serial):
    return f"{action.year}-{action.office_code}-{serial:06d}"

@informant("adoption")
def adoption_informant(action):
    return Informant(email=action.declaration.get("guardian.email", ""))

trigger("hospital/discharge", fields={"ward": fields.String(required=True)}, message="hospital-discharge")

analytics("birth", fields=["child.dob", "child.gender"], computed=birth_figures)
"""

from __future__ import annotations

from marshmallow import fields

from app.country.action import Action, User
from app.country.answers import Accept, Defer, Reject
from app.country.country import Country, CountryTrigger, Recipient
from app.country.declarations import InvalidRules
from app.country.extension_points import (
    analytics,
    informant,
    language,
    on_action,
    on_system_ready,
    registration_number,
    trigger,
)
from app.country.loading import load
from app.records.figures import birth_figures
from app.records.informant import Informant, full_name, informant_of
from app.settings import Credentials, Integration

__all__ = [
    "Accept",
    "Action",
    "Country",
    "CountryTrigger",
    "Credentials",
    "Defer",
    "Informant",
    "Integration",
    "InvalidRules",
    "Recipient",
    "Reject",
    "User",
    "analytics",
    "birth_figures",
    "fields",
    "full_name",
    "informant",
    "informant_of",
    "language",
    "load",
    "on_action",
    "on_system_ready",
    "registration_number",
    "trigger",
]
