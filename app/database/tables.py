"""The tables, the same on SQLite and PostgreSQL.

Times are UTC seconds since 1970 as a double, set by the database's clock (`clock.now`). Columns named `payload`,
`secrets`, `otherwise` and `content` hold Fernet tokens (app.encryption). Flags and states are text, so that a person
can read them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

triggers = Table(
    "triggers",
    metadata,
    Column("id", Text, primary_key=True),  # UUIDv7: ordered by time
    Column("path", Text, nullable=False),  # what was called, without /triggers/: user/2fa
    Column("received_at", Double, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("fingerprint", Text),  # keyed; only where a repeat must be recognised
    Column("payload", LargeBinary, nullable=False),  # as received, without the secrets
    Column("secrets", LargeBinary),  # one-time codes and passwords, until they are erased
    Column("erased_at", Double),
)
Index(
    "triggers_fingerprint",
    triggers.c.fingerprint,
    triggers.c.received_at,
    postgresql_where=triggers.c.fingerprint.is_not(None),
    sqlite_where=triggers.c.fingerprint.is_not(None),
)
Index(
    "triggers_with_secrets",
    triggers.c.id,
    postgresql_where=triggers.c.secrets.is_not(None),
    sqlite_where=triggers.c.secrets.is_not(None),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("trigger_id", Text, ForeignKey("triggers.id"), nullable=False),
    Column("key", Text, nullable=False),  # what is owed of this trigger: plan, email, email.2, ...
    Column("channel", Text, nullable=False),  # who sends it: plan, email, sms
    Column("destination", Text, nullable=False),  # what is limited, retried, paused and broken as one
    Column("message", Text),  # name of the message, where it is one
    Column("subject", Text),  # the event it is about, where newer news overtakes older
    Column("recipient", Text),  # masked
    Column("priority", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("created_at", Double, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("expires_at", Double),  # past it, never sent
    Column("give_up_at", Double),  # past it, not tried again; NULL: tried for ever
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("lease_until", Double),
    Column("ended_at", Double),
    Column("provider_id", Text),
    Column("payload", LargeBinary),
    Column("otherwise", LargeBinary),  # what is owed in its place where it fails; encrypted
    UniqueConstraint("trigger_id", "key", name="deliveries_owed_once"),
)
_QUEUED = deliveries.c.state == "queued"
_SENDING = deliveries.c.state == "sending"
Index(
    "deliveries_due",
    deliveries.c.destination,
    deliveries.c.priority,
    deliveries.c.due_at,
    postgresql_where=_QUEUED,
    sqlite_where=_QUEUED,
)
Index("deliveries_leased", deliveries.c.lease_until, postgresql_where=_SENDING, sqlite_where=_SENDING)
_EXPIRING = text("state = 'queued' AND expires_at IS NOT NULL")
Index("deliveries_expiring", deliveries.c.expires_at, postgresql_where=_EXPIRING, sqlite_where=_EXPIRING)
Index("deliveries_by_state", deliveries.c.state, deliveries.c.created_at)
_ABOUT_SOMETHING = deliveries.c.subject.is_not(None)
Index(
    "deliveries_by_subject",
    deliveries.c.subject,
    deliveries.c.created_at,
    postgresql_where=_ABOUT_SOMETHING,
    sqlite_where=_ABOUT_SOMETHING,
)

_WEBHOOKS = text("channel = 'webhook'")
Index(
    "deliveries_of_subscription",
    deliveries.c.destination,
    deliveries.c.id,
    postgresql_where=_WEBHOOKS,
    sqlite_where=_WEBHOOKS,
)

attempts = Table(
    "attempts",
    metadata,
    Column("delivery_id", Text, ForeignKey("deliveries.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("started_at", Double, nullable=False),
    Column("duration", Double),  # seconds; NULL where the worker died
    Column("outcome", Text, nullable=False),
    Column("answer", Text),  # masked, bounded excerpt of what the other side said
)

destinations = Table(
    "destinations",
    metadata,
    Column("name", Text, primary_key=True),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    Column("failures", Integer, nullable=False, server_default=text("0")),  # in a row
    Column("open_until", Double),  # the circuit is open, nothing is tried, until then
    Column("rate", Double),  # how many a second at most; NULL: as fast as it takes them
    Column("next_at", Double),  # nothing is tried until then, so that `rate` is kept
)

inbox = Table(
    "inbox",
    metadata,
    Column("delivery_id", Text, primary_key=True),
    Column("received_at", Double, nullable=False),
    Column("channel", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
Index("inbox_newest_first", inbox.c.received_at)

decisions = Table(
    "decisions",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("action_id", Text, primary_key=True),  # of the pending action that core asked about
    Column("trigger_id", Text, ForeignKey("triggers.id"), nullable=False),
    Column("event_type", Text, nullable=False),
    Column("action_type", Text, nullable=False),
    Column("tracking_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("verdict", Text),  # accept or reject, once there is one
    Column("answer", LargeBinary),  # what is sent with an accept
    Column("reason", LargeBinary),
    Column("registration_number", Text, unique=True),
    Column("token", LargeBinary),  # core's for this action: what a confirmation is called with
    Column("token_expires_at", Double, nullable=False),
    Column("runs", Integer, nullable=False),  # of the rules: the fence of who runs them
    Column("lease_until", Double),
    Column("created_at", Double, nullable=False),
    Column("decided_at", Double),
    Column("deadline", Double),
    Column("confirmed_record", LargeBinary),  # core's event document when it took the confirmation
    Column("alerted_for", Text, nullable=False, server_default=text("''")),  # causes, separated by spaces
    Column("mailed_for", Text, nullable=False, server_default=text("''")),  # those of them that a mail has told of
)
_OPEN = text("state IN ('deciding', 'deferred', 'confirming', 'refused')")
Index("decisions_open", decisions.c.created_at, postgresql_where=_OPEN, sqlite_where=_OPEN)
_WITH_TOKEN = decisions.c.token.is_not(None)
Index("decisions_with_token", decisions.c.token_expires_at, postgresql_where=_WITH_TOKEN, sqlite_where=_WITH_TOKEN)
Index("decisions_by_action", decisions.c.action_id)
Index("decisions_by_trigger", decisions.c.trigger_id, unique=True)

chores = Table(
    "chores",
    metadata,
    Column("name", Text, primary_key=True),
    Column("done_at", Double, nullable=False),  # by whichever worker
)

serials = Table(
    "serials",
    metadata,
    Column("series", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),  # the last that was given out
)

integrations = Table(
    "integrations",
    metadata,
    Column("name", Text, primary_key=True),
    Column("client_id", Text, nullable=False),  # at core; "" where core has none of this name
    Column("registered_at", Double, nullable=False),
    Column("problem", Text),  # app.opencrvs.registered_clients.Problem; NULL: the configured credentials work
    Column("secrets", LargeBinary),  # from core, until the @on_system_ready rule that they were handed to has ended
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),  # what one process at a time does
    Column("holder", Text, nullable=False),
    Column("ends_at", Double, nullable=False),
)

core_signs = Table(
    "core_signs",
    metadata,
    Column("sign", Text, primary_key=True),  # app.opencrvs.version_signs.Sign
    Column("detail", Text, primary_key=True),  # what it was seen of, such as an action type; "" where there is nothing
    Column("first_seen_at", Double, nullable=False),
    Column("last_seen_at", Double, nullable=False),  # to the hour
)

rate_limits = Table(
    "rate_limits",
    metadata,
    Column("key", Text, primary_key=True),  # keyed hash of the limit and of who calls
    Column("started_at", Double, nullable=False),  # when the first call of the window came
    Column("calls", Integer, nullable=False),  # in this window
)

locations = Table(
    "locations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("external_id", Text),
    Column("administrative_area_id", Text),
    Column("location_type", Text),
    Column("refreshed_at", Double, nullable=False),  # when core last listed it
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("versions", Text),  # JSON: [[effective from, name, external id], ...], by date; NULL where core has none
)
Index("locations_refreshed", locations.c.refreshed_at)

clients = Table(
    "clients",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("key_hash", Text, nullable=False, unique=True),
    Column("permissions", Text, nullable=False),  # separated by spaces
    Column("created_at", Double, nullable=False),
    Column("revoked_at", Double),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("client_id", Text, ForeignKey("clients.id"), nullable=False),
    Column("rev", Integer, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("content", LargeBinary, nullable=False),  # what the client asked for: addresses have tokens in them too
    Column("secrets", LargeBinary, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("failing_since", Double),  # the first failure since the last success
    Column("disabled_because", Text),
)
Index("subscriptions_by_client", subscriptions.c.client_id, subscriptions.c.id)

event_types = Table(
    "event_types",
    metadata,
    Column("name", Text, primary_key=True),  # of those that are made as they come
)

audit = Table(
    "audit",
    metadata,
    Column("id", Text, primary_key=True),  # UUIDv7: ordered by time
    Column("at", Double, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("subject", Text, nullable=False),  # what it was done to: an action's or a delivery's id, a name
    Column("request_id", Text),
)
Index("audit_by_subject", audit.c.subject, audit.c.id)
