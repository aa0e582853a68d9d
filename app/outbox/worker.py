"""The worker: claims what is due, has it sent by a pool of threads, writes down what came of it, until told to stop.

One loop owns the database; threads only send. No transaction is open while a provider is called. The loop survives
an absent database: what has been sent and not yet written down is kept and written when the database is back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

import structlog
from sqlalchemy import Connection

from app.database.engine import Database, DatabaseAway, TransactionAbortedError
from app.encryption import Cipher
from app.outbox import leases, secrets, store
from app.outbox.circuits import FAILURES_TO_OPEN
from app.outbox.delivery import Failed, Retry, Sender, Sent
from app.outbox.places import PLACES, PLACES_ABROAD, PLACES_FOR_NEWS, PLAN, PLANS, Held, is_abroad, to_claim
from app.outbox.sending import attempt
from app.outbox.settling import Finished, Settled, settle
from app.outbox.states import Reason, State
from app.outbox.store import LEASE, Claim, Lane

log = structlog.get_logger()

PLANNING = frozenset({PLAN, "informant", "publish"})  # channels that work out what is owed, and bring nobody anything

_POLL = 0.1  # seconds
_QUICK = 2.0  # seconds
_GATHER = 0.005  # how long the first to end waits for others, so that they are settled in one transaction
_RENEW_EVERY = LEASE / 3
_SWEEP_EVERY = 1.0
_ERASE_EVERY = 600.0
_CHORES_EVERY = 60.0
_PAUSE_WITHOUT_DATABASE = 1.0
_LONGEST_STOP = 20.0


class Worker:
    """Sends what is due.

    `senders` maps a channel to the function that sends for it. `destinations` are known from the start, so that they
    can be paused before anything is owed to them. `chores` are done every minute;
    `closing` is called by `close`. `observe` is told of all that is settled.
    """

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        senders: Mapping[str, Sender],
        destinations: Collection[str] = (),
        chores: Sequence[Callable[[], None]] = (),
        closing: Sequence[Callable[[], None]] = (),
        observe: Callable[[Settled], None] | None = None,
    ) -> None:
        self._observe = observe
        self._chores = chores
        self._destinations = {PLAN, *destinations}
        self._closing = closing
        self._database = database
        self._cipher = cipher
        self._senders = senders
        self._stopping = threading.Event()
        self._ended: SimpleQueue[Finished] = SimpleQueue()
        self._unsettled: list[Finished] = []
        self._held: dict[tuple[str, int], Claim] = {}
        self._quick: set[str] = set()
        self._slow: set[str] = set()
        self._renewed_at = self._swept_at = self._erased_at = time.monotonic()
        self._chores_done_at = float("-inf")
        self._database_is_away = False
        self._is_registered = False
        self._stop_by = float("inf")

    def stop(self) -> None:
        """Finish what is being sent, claim nothing more, and let `run` return."""
        self._stop_by = time.monotonic() + _LONGEST_STOP
        self._stopping.set()

    def close(self) -> None:
        """Take leave of mail servers and databases, when `run` has returned."""
        for close in self._closing:
            close()

    def run(self) -> None:
        """Work until `stop`."""
        with ThreadPoolExecutor(PLACES + PLACES_ABROAD + PLACES_FOR_NEWS + PLANS, thread_name_prefix="send") as pool:
            while not (self._stopping.is_set() and (not self._held or self._has_waited_long_enough())):
                try:
                    claimed = self._turn()
                except TransactionAbortedError as error:
                    log.warning("transaction.aborted", code=error.code, reason=str(error), hint="it is tried again")
                    time.sleep(_POLL)
                    continue
                except DatabaseAway as error:
                    self._say_that_the_database_is_away(error)
                    time.sleep(_PAUSE_WITHOUT_DATABASE)
                    continue
                if self._database_is_away:
                    self._database_is_away = False
                    log.info("database.back")
                for taken in claimed:
                    pool.submit(self._try_one, taken)
                if not claimed:
                    self._wait()

    def run_until_idle(self) -> None:
        """Work off all that is due now, in this thread, and return. For tests and one-off commands."""
        while claimed := self._turn():
            for taken in claimed:
                self._try_one(taken)

    def _try_one(self, taken: Claim) -> None:
        try:
            finished = attempt(taken, self._cipher, self._senders)
        except BaseException as error:  # noqa: BLE001  a claim that never ends would be renewed for ever
            finished = Finished(taken, Retry(f"the try crashed: {type(error).__name__}"), 0.0)
        self._ended.put(finished)

    def _has_waited_long_enough(self) -> bool:
        """What is unsettled by now is left to its lease: another worker will try it again."""
        return time.monotonic() >= self._stop_by

    def _wait(self) -> None:
        """Until a try ends and those that end with it have, or it is time to look again."""
        try:
            self._unsettled.append(self._ended.get(timeout=_POLL))
            until = time.monotonic() + _GATHER
            while len(self._unsettled) < len(self._held):
                self._unsettled.append(self._ended.get(timeout=max(0.0, until - time.monotonic())))
        except Empty:
            return

    def _turn(self) -> list[Claim]:
        """Settle and claim, in one transaction; none is opened where there is nothing to do."""
        if not self._is_registered:
            with self._database.transaction() as connection:
                store.register_destinations(connection, self._database, self._destinations)
            self._is_registered = True
        self._do_chores()
        while not self._ended.empty():
            self._unsettled.append(self._ended.get())
        sweeping = self._is_time_to_sweep()
        if not self._unsettled and not self._is_time(self._renewed_at, _RENEW_EVERY):
            with self._database.reading() as connection:
                sweeping = sweeping and leases.something_overdue(connection)
                if not sweeping and not self._places(self._lanes(connection)):
                    return []
        try:
            with self._database.transaction() as connection:
                settled = settle(connection, self._database, self._cipher, self._unsettled)
                held = self._held.keys() - {one.claim.fence for one in self._unsettled}
                self._renew(connection, held)
                swept = self._sweep(connection, held) if sweeping else []
                claimed = [
                    taken
                    for lane, limit in self._places(self._lanes(connection), held)
                    for taken in store.claim(connection, lane, limit)
                ]
        except DatabaseAway:
            raise
        except Exception:
            if not self._unsettled:
                raise
            self._settle_one_by_one()
            return []
        self._held = {fence: self._held[fence] for fence in held} | {taken.fence: taken for taken in claimed}
        self._unsettled = []
        for one in settled:
            self._tell(one)
            self._learn(one)
        for delivery_id in swept:
            log.warning("delivery.lost", delivery_id=delivery_id, reason="its worker stopped; it is due again")
        return claimed

    def _settle_one_by_one(self) -> None:
        """One outcome cannot be written down: the others are, and that one ends as a failure, not as another send."""
        log.exception("outcome.unwritable", unsettled=len(self._unsettled))
        while self._unsettled:
            one = self._unsettled[0]
            for outcome in (one.outcome, Failed("what came of it could not be written down: see the log")):
                try:
                    with self._database.transaction() as connection:
                        finished = Finished(one.claim, outcome, one.duration)
                        (settled,) = settle(connection, self._database, self._cipher, [finished])
                except DatabaseAway:
                    raise
                except Exception:
                    log.exception("outcome.unwritable", delivery_id=one.claim.id)
                    continue
                self._tell(settled)
                break
            self._unsettled.pop(0)
            self._held.pop(one.claim.fence, None)

    def _tell(self, settled: Settled) -> None:
        _say(settled)
        if self._observe is not None:
            try:
                self._observe(settled)
            except Exception:
                log.exception("observer.crashed")  # it is written down by now, whatever becomes of a figure

    def _learn(self, settled: Settled) -> None:
        """How another system took what it got decides how much it gets at once."""
        destination = settled.finished.claim.lane.destination
        if is_abroad(destination):
            quick = isinstance(settled.finished.outcome, Sent) and settled.finished.duration < _QUICK
            (self._quick if quick else self._slow).add(destination)
            (self._slow if quick else self._quick).discard(destination)

    def _do_chores(self) -> None:
        if self._is_time(self._chores_done_at, _CHORES_EVERY):
            self._chores_done_at = time.monotonic()
            for chore in self._chores:
                try:
                    chore()
                except DatabaseAway:
                    raise
                except Exception:
                    log.exception("chore.crashed")  # whatever it was, delivery goes on

    def _lanes(self, connection: Connection) -> list[Lane]:
        return [] if self._stopping.is_set() else store.lanes(connection)

    def _places(
        self, open_lanes: list[Lane], held: Collection[tuple[str, int]] | None = None
    ) -> list[tuple[Lane, int]]:
        """How many to claim of each. What is sent but not yet settled is still under way, unless `held` says so."""
        lanes = [taken.lane for taken in self._held.values() if held is None or taken.fence in held]
        return to_claim(open_lanes, Held(lanes, self._quick, self._slow), FAILURES_TO_OPEN)

    def _sweep(self, connection: Connection, held: Collection[tuple[str, int]]) -> list[str]:
        expired = leases.drop_expired(connection)
        secrets.erase(connection, expired)
        for trigger_id in expired:
            log.info("delivery.ended", trigger_id=trigger_id, state=State.DROPPED, reason=Reason.EXPIRED)
        return leases.requeue_lost(connection, self._database, self._cipher, [delivery_id for delivery_id, _ in held])

    def _renew(self, connection: Connection, held: Collection[tuple[str, int]]) -> None:
        if self._is_time(self._renewed_at, _RENEW_EVERY):
            leases.renew(connection, [self._held[fence] for fence in held])
            self._renewed_at = time.monotonic()
        if self._is_time(self._erased_at, _ERASE_EVERY):
            secrets.erase(connection)
            self._erased_at = time.monotonic()

    def _is_time_to_sweep(self) -> bool:
        if self._is_time(self._swept_at, _SWEEP_EVERY):
            self._swept_at = time.monotonic()
            return True
        return False

    @staticmethod
    def _is_time(last: float, every: float) -> bool:
        return time.monotonic() - last >= every

    def _say_that_the_database_is_away(self, error: DatabaseAway) -> None:
        if not self._database_is_away:
            self._database_is_away = True
            log.error("database.away", error=str(error), unsettled=len(self._unsettled), advice="trying on")


def _say(settled: Settled) -> None:
    taken = settled.finished.claim
    facts = {
        "delivery_id": taken.id,
        "trigger_id": taken.trigger.id,
        "request_id": taken.trigger.request_id,
        "channel": taken.delivery.channel,
        "destination": taken.lane.destination,
        "attempt": taken.attempt,
        "ms": round(settled.finished.duration * 1000),
    }
    if settled.superseded:
        log.warning("delivery.superseded", **facts, reason="another worker took it over when its lease ran out")
    elif settled.state is State.QUEUED:
        log.warning("delivery.retrying", **facts, reason=settled.reason)
    elif settled.state is State.FAILED:
        log.error("delivery.failed", **facts, reason=settled.reason)
    elif taken.delivery.channel not in PLANNING or settled.state is not State.SENT:
        log.info("delivery.ended", **facts, state=settled.state, reason=settled.reason)
    for new in settled.follow_ups:
        if new.state is not State.QUEUED:
            say = log.error if new.state is State.FAILED else log.info
            about = {"channel": new.channel, "message": new.message, "attempt": 0}
            say("delivery.ended", **{**facts, **about}, state=new.state, reason=new.reason)
    if settled.back:
        log.info("destination.back", destination=taken.lane.destination)
    if settled.circuit_open_for is not None:
        log.error(
            "destination.down",
            destination=taken.lane.destination,
            seconds=settled.circuit_open_for,
            reason=settled.reason,
            advice="messages wait and go out when it is back",
        )
