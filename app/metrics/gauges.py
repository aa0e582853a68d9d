"""What is open, as figures: read from the database at each scrape, by queries that cost what is open and no more.

Finished deliveries and decisions are never counted here: there are millions of them, and Prometheus adds up what the
processes count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Any

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import Connection, Row, case, func, select

from app.database.clock import now
from app.database.tables import core_signs, decisions, deliveries, destinations, integrations, subscriptions
from app.decisions.causes import IS_OPEN, is_late
from app.decisions.states import DecisionState
from app.metrics.labels import destination_label
from app.outbox.circuits import FAILURES_TO_OPEN
from app.outbox.schedule import DAY
from app.outbox.states import Reason, State
from app.outbox.store import state_is

_OPEN_STATES = (DecisionState.DECIDING, DecisionState.DEFERRED, DecisionState.CONFIRMING, DecisionState.REFUSED)


def read(connection: Connection, *, has_client: bool) -> list[Metric]:
    """All of them. `has_client`: a system client of ours is configured, which core 2.1 takes confirmations from."""
    known = sorted(connection.execute(select(destinations)).all(), key=lambda row: destination_label(row.name))
    names = {destination_label(row.name) for row in known}
    return [
        *_queued(connection, names),
        *_not_sent(connection, names),
        *_destinations(known),
        *_decisions(connection, has_client=has_client),
        _core_signs(connection),
        _subscriptions(connection),
        _integrations(connection),
    ]


def _queued(connection: Connection, names: Collection[str]) -> Iterator[Metric]:
    queued = GaugeMetricFamily(
        "country_config_queued",
        "Deliveries that wait: to be tried for the first time, or again",
        labels=["channel", "destination"],
    )
    overdue = GaugeMetricFamily(
        "country_config_overdue_seconds",
        "For how long the oldest delivery that is due has waited; it grows where no worker runs, and while its "
        "destination is down or paused",
        labels=["destination"],
    )
    longest = dict.fromkeys(names, 0.0)
    numbers: Counter[tuple[str, str]] = Counter()
    waiting = (
        select(
            deliveries.c.channel,
            deliveries.c.destination,
            func.count().label("number"),
            func.max(now() - deliveries.c.due_at).label("overdue"),
        )
        .where(state_is(State.QUEUED))
        .group_by(deliveries.c.channel, deliveries.c.destination)
    )
    for row in connection.execute(waiting):
        label = destination_label(row.destination)
        numbers[row.channel, label] += row.number
        longest[label] = max(longest.get(label, 0.0), row.overdue)
    for labels, number in numbers.items():
        queued.add_metric(labels, number)
    for destination, seconds in longest.items():
        overdue.add_metric([destination], seconds)
    yield queued
    yield overdue


def _not_sent(connection: Connection, names: Collection[str]) -> Iterator[Metric]:
    failed = GaugeMetricFamily(
        "country_config_dead_letters",
        "Deliveries of the last 7 days that failed for good; country-config outbox list says why, and retry sends them",
        labels=["destination"],
    )
    expired = GaugeMetricFamily(
        "country_config_expired",
        "Deliveries of the last 24 hours whose life ended before they could be sent, such as one-time codes",
        labels=["destination"],
    )
    for metric, days, ended in (
        (failed, 7, deliveries.c.state == State.FAILED),
        (expired, 1, (deliveries.c.state == State.DROPPED) & (deliveries.c.reason == Reason.EXPIRED)),
    ):
        counted = (
            select(deliveries.c.destination, func.count())
            .where(ended, deliveries.c.created_at > now() - days * DAY)
            .group_by(deliveries.c.destination)
        )
        numbers = Counter(dict.fromkeys(names, 0))
        for name, number in connection.execute(counted):
            numbers[destination_label(name)] += number
        for destination, number in numbers.items():
            metric.add_metric([destination], number)
        yield metric


def _destinations(known: Sequence[Row[Any]]) -> Iterator[Metric]:
    down = GaugeMetricFamily(
        "country_config_destination_down",
        f"1 from the {FAILURES_TO_OPEN}th failure in a row until something gets through; what is owed waits meanwhile",
        labels=["destination"],
    )
    paused = GaugeMetricFamily(
        "country_config_destination_paused",
        "1 from country-config outbox pause until outbox resume",
        labels=["destination"],
    )
    for label, rows in groupby(known, key=lambda row: destination_label(row.name)):
        members = list(rows)
        down.add_metric([label], int(any(row.failures >= FAILURES_TO_OPEN for row in members)))
        paused.add_metric([label], int(any(row.paused for row in members)))
    yield down
    yield paused


def _decisions(connection: Connection, *, has_client: bool) -> Iterator[Metric]:
    still_open = GaugeMetricFamily(
        "country_config_decisions_open",
        "Event actions that core waits for: deciding (the rules run), deferred (nobody has decided yet), confirming "
        "(decided, core is being told), refused (core does not take it: an operator must look)",
        labels=["state"],
    )
    counted = select(decisions.c.state, func.count()).where(IS_OPEN).group_by(decisions.c.state)
    numbers = dict.fromkeys(_OPEN_STATES, 0) | {row[0]: row[1] for row in connection.execute(counted)}
    for state, number in numbers.items():
        still_open.add_metric([state], number)
    yield still_open
    late = connection.scalar(select(func.count()).select_from(decisions).where(is_late(has_client=has_client)))
    yield GaugeMetricFamily(
        "country_config_decisions_late",
        "Those of them that are past their deadline, within a day of their token's end, or refused; "
        "country-config confirmations list shows them",
        value=late or 0,
    )


def _core_signs(connection: Connection) -> Metric:
    seen = GaugeMetricFamily(
        "country_config_core_seen_timestamp_seconds",
        "When core last showed the sign of a version, to the hour; an unknown-action-type comes from a core that is "
        "newer than this server, see country-config compat",
        labels=["sign", "detail"],
    )
    for row in connection.execute(select(core_signs).order_by(core_signs.c.sign, core_signs.c.detail)):
        seen.add_metric([row.sign, row.detail], row.last_seen_at)
    return seen


def _subscriptions(connection: Connection) -> Metric:
    known = GaugeMetricFamily(
        "country_config_subscriptions",
        "Subscriptions of other systems: active, failing (active, and took nothing since the first failure), disabled "
        "(by this server, which has told why by mail), off (by their own client)",
        labels=["state"],
    )
    state = case(
        (subscriptions.c.disabled_because.is_not(None), "disabled"),
        (subscriptions.c.active.is_(False), "off"),
        (subscriptions.c.failing_since.is_not(None), "failing"),
        else_="active",
    ).label("state")
    counted = select(state, func.count()).group_by(state)
    numbers = dict.fromkeys(("active", "failing", "disabled", "off"), 0)
    for name, number in (numbers | {row[0]: row[1] for row in connection.execute(counted)}).items():
        known.add_metric([name], number)
    return known


def _integrations(connection: Connection) -> Metric:
    mismatch = GaugeMetricFamily(
        "country_config_integration_mismatch",
        "1 while core does not take the credentials that are configured for an integration, as system/ready last found "
        "it; the log line integration.client_mismatch says what to do",
        labels=["integration"],
    )
    known = select(integrations.c.name, integrations.c.problem.is_not(None)).order_by(integrations.c.name)
    for name, has_problem in connection.execute(known):
        mismatch.add_metric([name], int(has_problem))
    return mismatch
