"""Rows of core's lists, by core's names."""

from __future__ import annotations

import uuid
from typing import Any

from app.opencrvs.offices import Office

LUSAKA = "c2a1d6b8-1111-4222-8333-4444555566aa"
OFFICE = "7b7d1b32-2222-4333-9444-555566667777"
NEW_OFFICE = "7b7d1b32-2222-4333-9444-555566668888"
LUSAKA_CENTRAL = Office(OFFICE, "Lusaka Central Office", "LSK-01")


def location_row(**changes: Any) -> dict[str, Any]:
    return {
        "id": OFFICE,
        "name": "Lusaka Central Office",
        "externalId": "LSK-01",
        "administrativeAreaId": LUSAKA,
        "validUntil": None,
        "locationType": "CRVS_OFFICE",
    } | changes


def new_location_row(**changes: Any) -> dict[str, Any]:
    """A row of core 2.1: renamed in June 2026."""
    row = location_row(name="Lusaka Main Office", externalId="LSK-02")
    del row["validUntil"]
    versions = [
        {"versionId": "2", "effectiveFrom": "2026-06-01", "name": "Lusaka Main Office", "externalId": "LSK-02"},
        {"versionId": "1", "effectiveFrom": "2000-01-01", "name": "Lusaka Central Office", "externalId": "LSK-01"},
    ]
    return row | {"status": "active", "versions": [one | {"status": "active"} for one in versions]} | changes


def area_row(**changes: Any) -> dict[str, Any]:
    return {"id": LUSAKA, "name": "Lusaka", "externalId": "LSK", "parentId": None, "validUntil": None} | changes


def many(count: int) -> list[dict[str, Any]]:
    return [location_row(id=str(uuid.UUID(int=number)), name=f"Health Post {number}") for number in range(count)]
