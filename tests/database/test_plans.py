"""The statements of the hot paths cost what is due or open, however much is queued and however long the history is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from app.cli.confirmations import open_decisions
from app.country import Country
from app.database.engine import Database
from app.database.tables import metadata
from app.decisions.erasure import TokenErasure
from app.decisions.store import Decisions
from app.encryption import Cipher
from app.metrics import gauges
from app.outbox import leases, operations, secrets, store
from app.outbox.states import Priority, State
from app.outbox.store import Lane
from tests.conftest import SECRET_KEY

LARGE = ("triggers", "deliveries", "decisions", "attempts")
CLOCKS = ("statement_timestamp", "clock_timestamp")
PARTIAL = {
    index.name
    for table in metadata.tables.values()
    for index in table.indexes
    if index.dialect_options["sqlite"]["where"] is not None
}
# An index of single rows, or of the few open decisions: what it finds may be compared with the clock one by one.
FINDS_FEW = {"deliveries_owed_once", "deliveries_pkey", "triggers_pkey", "decisions_pkey", "decisions_open"}

NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 60000) "
FILL = (
    """INSERT INTO triggers (id, path, received_at, request_id, payload, erased_at)
       {numbers} SELECT 'trigger-' || n, 'user/2fa', {now} - n, 'request', {bytes}, {now} FROM numbers""",
    """INSERT INTO deliveries (id, trigger_id, key, channel, destination, priority, state, created_at, due_at, ended_at)
       {numbers} SELECT 'ended-' || n, 'trigger-' || n, 'email', 'email', 'smtp', 1,
       CASE WHEN n % 100 = 0 THEN 'failed' WHEN n % 100 = 1 THEN 'dropped' ELSE 'sent' END,
       {now} - n * 60, {now} - n * 60, {now} - n * 60 FROM numbers""",
    """INSERT INTO deliveries (id, trigger_id, key, channel, destination, priority, state, created_at, due_at, attempts)
       {numbers} SELECT 'waiting-' || n, 'trigger-' || n, 'webhook', 'webhook', 'webhook:' || (n % 10), 1, 'queued',
       {now} - n, {now} + 3600 + n, 1 FROM numbers WHERE n <= 10000""",
    """INSERT INTO deliveries
       (id, trigger_id, key, channel, destination, priority, state, created_at, due_at, expires_at)
       VALUES ('code', 'trigger-1', 'code', 'email', 'smtp', 0, 'queued', {now}, {now} - 1, {now} + 600)""",
    """INSERT INTO destinations (name) {numbers} SELECT 'webhook:' || n FROM numbers WHERE n < 10""",
    "INSERT INTO destinations (name) VALUES ('smtp'), ('webhook:0')",
    """INSERT INTO decisions (event_id, action_id, trigger_id, event_type, action_type, tracking_id, state,
       token_expires_at, runs, created_at)
       {numbers} SELECT 'event-' || n, 'action-' || n, 'trigger-' || n, 'birth', 'REGISTER', 'T' || n,
       CASE WHEN n % 5000 = 0 THEN 'deferred' ELSE 'accepted' END, {now} + 86400, 1, {now} - n FROM numbers""",
)


@pytest.fixture
def filled(database: Database) -> Database:
    """A year of history, 10,000 webhooks that wait for their retry, one code that is due, and 12 open decisions."""
    clock = "julianday('now') * 86400 - 210866760000" if database.is_sqlite else "extract(epoch FROM now())"
    with database.transaction() as connection:
        for statement in FILL:
            filled_in = statement.format(
                now=f"({clock})", numbers=NUMBERS, bytes="CAST('' AS bytea)" if not database.is_sqlite else "x''"
            )
            connection.execute(text(filled_in.replace(":' ||", r"\:' ||").replace("'webhook:0'", r"'webhook\:0'")))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    return database


def in_transaction(work: Callable[[Connection], object]) -> Callable[[Database], None]:
    def run(database: Database) -> None:
        with database.transaction() as connection:
            work(connection)

    return run


def requeue_lost(database: Database) -> None:
    with database.transaction() as connection:
        leases.requeue_lost(connection, database, Cipher([SECRET_KEY]))


def find_decisions(database: Database) -> None:
    found = Decisions(database, Cipher([SECRET_KEY]), Country())
    found.find_by_action("action-7")
    found.find_by_trigger("trigger-7")


HOT: dict[str, Callable[[Database], object]] = {
    "lanes": in_transaction(store.lanes),
    "claim": in_transaction(
        lambda connection: store.claim(connection, Lane("webhook:1", Priority.TRANSACTIONAL, 0), 6)
    ),
    "something_overdue": in_transaction(leases.something_overdue),
    "drop_expired": in_transaction(leases.drop_expired),
    "requeue_lost": requeue_lost,
    "erase": in_transaction(secrets.erase),
    "erase of some": in_transaction(lambda connection: secrets.erase(connection, ["trigger-1", "trigger-2"])),
    "gauges": in_transaction(partial(gauges.read, has_client=True)),
    "decisions": find_decisions,
    "token erasure": lambda database: TokenErasure(database).erase_expired(),
    "outbox counts": operations.counts,
    "confirmations list": in_transaction(lambda connection: open_decisions(connection, 50)),
    "outbox list": lambda database: operations.newest(database, [], 50),
    "outbox list of a state": lambda database: operations.newest(database, [State.FAILED], 50),
    "outbox retry of all": lambda database: operations.retry(database, None),
    "outbox retry of one": lambda database: operations.retry(database, ["ended-100"]),
}


@contextmanager
def heard(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are run meanwhile, with their parameters."""
    statements: list[tuple[str, Any]] = []

    def hear(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        statements.append((statement, parameters[0] if many else parameters))

    event.listen(database.engine, "before_cursor_execute", hear)
    yield statements
    event.remove(database.engine, "before_cursor_execute", hear)


@pytest.mark.parametrize("name", HOT)
def test_hot_statements_find_rows_by_an_index_that_serves_the_clock_too(filled: Database, name: str) -> None:
    with heard(filled) as statements:
        HOT[name](filled)
    read = [(sql, values) for sql, values in statements if sql.startswith(("SELECT", "UPDATE", "WITH", "DELETE"))]
    assert read
    with filled.reading() as connection:
        explain = _sqlite_findings if filled.is_sqlite else _postgresql_findings
        assert [finding for sql, values in read for finding in explain(connection, sql, values)] == []


def _sqlite_findings(connection: Connection, sql: str, values: Any) -> Iterator[str]:
    steps = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
    is_page = "LIMIT" in sql and not any("TEMP B-TREE FOR ORDER" in step for step in steps)
    for step in steps:
        words = step.split()
        if words[0] == "SCAN" and words[1] in LARGE and words[-1] not in PARTIAL and not (is_page and "INDEX" in words):
            yield f"{step}: {sql}"


def _postgresql_findings(connection: Connection, sql: str, values: Any) -> Iterator[str]:
    found = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", values).scalar_one()
    plan = found if isinstance(found, list) else json.loads(found)
    for node, is_page in _nodes(plan[0]["Plan"], is_page=False):
        index = node.get("Index Name")
        condition = node.get("Index Cond", "")
        is_scan = node["Node Type"] == "Seq Scan" or (index and not condition and index not in PARTIAL and not is_page)
        if node.get("Relation Name", "") in LARGE and is_scan:
            yield f"{node['Node Type']} of {node['Relation Name']}: {sql}"
        is_filtered = node.get("Relation Name") in LARGE and any(clock in node.get("Filter", "") for clock in CLOCKS)
        if is_filtered and index not in FINDS_FEW:
            yield f"the clock is a filter of {index}, {condition}: {sql}"


def _nodes(node: dict[str, Any], *, is_page: bool) -> Iterator[tuple[dict[str, Any], bool]]:
    yield node, is_page
    # What is sorted is read to its end, whatever the limit above is.
    below = node["Node Type"] == "Limit" or (is_page and node["Node Type"] not in ("Sort", "Aggregate"))
    for child in node.get("Plans", []):
        yield from _nodes(child, is_page=below)
