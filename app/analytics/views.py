"""The views that statisticians start from. docs/analytics.md explains them.

One text for both databases, but for the few expressions below.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

_SIGNATURE = "Made by country-config"


@dataclass(frozen=True)
class View:
    """`statement` makes it, or makes it anew. By the `comment` we know it for ours, and for this very one."""

    name: str
    statement: str
    signature: str = _SIGNATURE

    @property
    def comment(self) -> str:
        return f"{self.signature}: {hashlib.sha256(self.statement.encode()).hexdigest()[:16]}"


def views(is_sqlite: bool) -> list[View]:
    """In an order in which they can be made."""
    words = _SQLITE if is_sqlite else _POSTGRESQL
    made = []
    for name, body in _BODIES.items():
        for word, expression in words.items():
            body = body.replace(f"[{word}]", expression)  # noqa: PLW2901
        create = f"CREATE VIEW {name}" if is_sqlite else f"CREATE OR REPLACE VIEW analytics.{name}"
        made.append(View(name, f"{create} AS{body.rstrip()}"))
    return made


_HAPPENED = "COALESCE(last.declaration->>'child_dob', last.declaration->>'eventDetails_date')"
# What was declared may be anything, and PostgreSQL fails the whole query where it casts what is no day to a date.
_A_DAY = (
    "^(?!0000)[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    "|02-(0[1-9]|1[0-9]|2[0-8]))$"
    "|^([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][48]|[13579][26]|[2468]0)00)-02-29$"
)

# Where core writes several actions in one moment, their order is that of a record's life.
_LATEST_FIRST = (
    "CASE WHEN [kind] = 'CREATE' THEN 1 ELSE 0 END, created_at DESC, "
    "CASE [kind] WHEN 'NOTIFY' THEN 1 WHEN 'DECLARE' THEN 2 WHEN 'REGISTER' THEN 4 "
    "WHEN 'REQUEST_CORRECTION' THEN 5 WHEN 'APPROVE_CORRECTION' THEN 6 "
    "WHEN 'REJECT_CORRECTION' THEN 6 ELSE 3 END DESC, id DESC"
)
_EVERYWHERE = {"latest first": _LATEST_FIRST, "reason": "content->>'reason'"}

_POSTGRESQL = _EVERYWHERE | {
    "kind": "CAST(action_type AS text)",  # a schema that was made beforehand may have an enum of its own there
    "actions": "analytics.event_actions",
    "locations": "analytics.locations",
    "records": "analytics.records",
    "month of registered": "to_char(registered_at AT TIME ZONE 'UTC', 'YYYY-MM')",
    "month of action": "to_char(action.created_at AT TIME ZONE 'UTC', 'YYYY-MM')",
    "month of event": "substr(happened_on, 1, 7)",
    "days to registration": "(CAST(registered_at AT TIME ZONE 'UTC' AS date) - CAST(happened_on AS date))",
    "days since declared": "CAST(floor(EXTRACT(EPOCH FROM now() - declared_at) / 86400) AS integer)",
    "happened on": f"CASE WHEN {_HAPPENED} ~ '{_A_DAY}' THEN {_HAPPENED} END",
    "id text": "CAST(location.id AS text)",
}
_SQLITE = _EVERYWHERE | {
    "kind": "action_type",
    "actions": "event_actions",
    "locations": "locations",
    "records": "records",
    "month of registered": "substr(registered_at, 1, 7)",
    "month of action": "substr(action.created_at, 1, 7)",
    "month of event": "substr(happened_on, 1, 7)",
    "days to registration": "CAST(julianday(date(registered_at)) - julianday(happened_on) AS integer)",
    "days since declared": "CAST(julianday('now') - julianday(declared_at) AS integer)",
    "happened on": f"CASE WHEN date({_HAPPENED}, '+0 days') = {_HAPPENED} THEN {_HAPPENED} END",
    "id text": "location.id",
}

_BODIES = {
    "records": """
SELECT
  event_id,
  event_type,
  declared_at,
  record_registered_at AS registered_at,
  number AS registration_number,
  COALESCE(registration_office, declaration_office) AS office_id,
  location.name AS office,
  [happened on] AS happened_on,
  action_type AS last_action,
  created_at AS last_action_at,
  declaration,
  CASE standing
    WHEN 'CREATE' THEN 'created'
    WHEN 'NOTIFY' THEN 'notified'
    WHEN 'DECLARE' THEN 'declared'
    WHEN 'REGISTER' THEN 'registered'
    WHEN 'ARCHIVE' THEN 'archived'
    WHEN 'MARK_AS_DUPLICATE' THEN 'duplicate'
    WHEN 'REJECT' THEN CASE
      WHEN edit IS NULL OR edit > standing_place THEN 'rejected'
      WHEN is_declared = 1 THEN 'declared'
      ELSE 'notified'
    END
  END AS status
FROM (
  SELECT
    placed.*,
    max(CASE WHEN place = registration THEN created_at END) OVER record AS record_registered_at,
    max(CASE WHEN place = registration THEN registration_number END) OVER record AS number,
    max(CASE WHEN place = registration THEN created_at_location END) OVER record AS registration_office,
    max(CASE WHEN place = first_declaration THEN created_at_location END) OVER record AS declaration_office,
    max(CASE WHEN place = standing_place THEN [kind] END) OVER record AS standing
  FROM (
    SELECT
      ranked.*,
      min(CASE WHEN [kind] NOT IN ('READ', 'ASSIGN', 'UNASSIGN', 'PRINT_CERTIFICATE') THEN place END)
        OVER record AS last_place,
      max(CASE WHEN [kind] = 'REGISTER' THEN place END) OVER record AS registration,
      max(CASE WHEN [kind] IN ('DECLARE', 'NOTIFY') THEN place END) OVER record AS first_declaration,
      max(CASE WHEN [kind] = 'DECLARE' THEN 1 ELSE 0 END) OVER record AS is_declared,
      min(CASE WHEN [kind] = 'EDIT' THEN place END) OVER record AS edit,
      min(CASE
        WHEN [kind] IN ('CREATE', 'NOTIFY', 'DECLARE', 'REGISTER', 'REJECT', 'ARCHIVE', 'MARK_AS_DUPLICATE')
        THEN place END) OVER record AS standing_place
    FROM (
      SELECT action.*, row_number() OVER (PARTITION BY event_id ORDER BY [latest first]) AS place
      FROM [actions] action
    ) ranked
    WINDOW record AS (PARTITION BY event_id)
  ) placed
  WINDOW record AS (PARTITION BY event_id)
) last
LEFT JOIN [locations] location ON [id text] = COALESCE(registration_office, declaration_office)
WHERE place = last_place
""",
    "registrations_by_month": """
SELECT [month of registered] AS month, event_type, office_id, office, count(*) AS registrations
FROM [records]
WHERE registered_at IS NOT NULL
GROUP BY 1, 2, 3, 4
""",
    "registration_completeness": """
SELECT
  [month of event] AS month_of_event,
  event_type,
  office_id,
  office,
  count(*) AS registered,
  sum(CASE WHEN [days to registration] BETWEEN 0 AND 30 THEN 1 ELSE 0 END) AS within_30_days,
  sum(CASE WHEN [days to registration] BETWEEN 0 AND 365 THEN 1 ELSE 0 END) AS within_a_year,
  sum(CASE WHEN [days to registration] > 365 THEN 1 ELSE 0 END) AS later
FROM [records]
WHERE registered_at IS NOT NULL AND happened_on IS NOT NULL
GROUP BY 1, 2, 3, 4
""",
    "rejections_by_month": """
SELECT
  [month of action] AS month,
  action.event_type,
  action.created_at_location AS office_id,
  location.name AS office,
  action.action_type,
  [reason] AS reason,
  count(*) AS rejections
FROM [actions] action
LEFT JOIN [locations] location ON [id text] = action.created_at_location
WHERE [kind] IN ('REJECT', 'ARCHIVE', 'REJECT_CORRECTION')
GROUP BY 1, 2, 3, 4, 5, 6
""",
    "backlog": """
SELECT
  event_id,
  event_type,
  office_id,
  office,
  declared_at,
  [days since declared] AS days_waiting,
  last_action
FROM [records]
WHERE status = 'declared' AND registered_at IS NULL
""",
}
