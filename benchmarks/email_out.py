"""How fast e-mail leaves: SmtpTransport against a bare smtplib loop, to a sink in a process of its own.

The bare loop has the octets ready and its connection open; SmtpTransport gets a new Email each time and serialises it.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import smtplib
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.connection import Connection

from app.notifications.email.mime import Email, serialise
from app.notifications.email.smtp import SmtpTransport
from app.settings import Smtp, StartTls

ROUNDS = 5
SENDER, RECIPIENT = "no-reply@register.test", "amina@sink.test"
PARAGRAPH = '<p style="margin:0 0 16px">Chère Amina, votre demande a été enregistrée sous le numéro 123456.</p>\n'
HTML = f"<html><body>{PARAGRAPH * 30}</body></html>"  # 3 KB
TEXT = "Chère Amina, votre demande a été enregistrée sous le numéro 123456.\n"

Send = Callable[[int], object]  # one message, by its number


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mails", type=int, default=500, help="messages that each side sends, in each row")
    parser.add_argument("--threads", type=int, default=4)
    arguments = parser.parse_args()

    print(f"{'server':<18}{'threads':>8}{'smtplib/s':>12}{'transport/s':>13}{'ratio':>8}")
    for pipelining in (False, True):
        for threads in (1, arguments.threads):
            bare, ours = compare(pipelining, threads, arguments.mails)
            server = "pipelining" if pipelining else "one by one"
            print(f"{server:<18}{threads:>8}{bare:>12.0f}{ours:>13.0f}{ours / bare:>8.2f}")


def compare(pipelining: bool, threads: int, mails: int) -> tuple[float, float]:
    """Messages a second of the bare loop and of the transport: medians of rounds that take turns."""
    with ExitStack() as stack:
        port = stack.enter_context(sink(pipelining))
        bare = stack.enter_context(bare_loop(port, threads))
        ours = stack.enter_context(transport(port))
        pool = stack.enter_context(ThreadPoolExecutor(threads))
        rates: dict[Send, list[float]] = {bare: [], ours: []}
        for round_number in range(ROUNDS + 1):
            for send, measured in rates.items():
                rate = timed(pool, send, max(threads, mails // ROUNDS))
                if round_number:  # the first one opens the connections
                    measured.append(rate)
        return statistics.median(rates[bare]), statistics.median(rates[ours])


def timed(pool: ThreadPoolExecutor, send: Send, mails: int) -> float:
    start = time.perf_counter()
    for _ in pool.map(send, range(mails)):
        pass
    return mails / (time.perf_counter() - start)


@contextmanager
def bare_loop(port: int, connections: int) -> Iterator[Send]:
    """smtplib and nothing else; as many connections as threads, handed round."""
    octets = serialise(an_email(0))
    idle = [smtplib.SMTP("127.0.0.1", port, "register.test") for _ in range(connections)]

    def send(_: int) -> None:
        connection = idle.pop()
        connection.sendmail(SENDER, [RECIPIENT], octets)
        idle.append(connection)

    yield send
    for connection in idle:
        connection.quit()


@contextmanager
def transport(port: int) -> Iterator[Send]:
    smtp = Smtp("127.0.0.1", port, False, StartTls.NEVER, None, None, 15.0, 100, None)
    ours = SmtpTransport(smtp, "register.test")
    yield lambda number: ours.send(an_email(number))
    ours.close()


def an_email(number: int) -> Email:
    return Email(SENDER, (RECIPIENT,), (), "Votre demande a été enregistrée", HTML, TEXT, f"<{number}@register.test>")


@contextmanager
def sink(pipelining: bool) -> Iterator[int]:
    """The port of a mail server in another process that takes all and keeps nothing."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run_sink, args=(theirs, pipelining), daemon=True)
    process.start()
    yield ours.recv()
    process.terminate()
    process.join()


def run_sink(parent: Connection, pipelining: bool) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(partial(Sink, pipelining), "127.0.0.1", 0)
        parent.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


class Sink(asyncio.Protocol):
    """Just enough SMTP for a well-behaved client."""

    def __init__(self, pipelining: bool) -> None:
        self.replies = {
            b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 SIZE\r\n" if pipelining else b"250-sink\r\n250 SIZE\r\n",
            b"DATA": b"354 Go on\r\n",
            b"QUIT": b"221 Bye\r\n",
        }
        self.buffer = b""
        self.in_message = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        replies = []
        while (end := self.buffer.find(b"\r\n.\r\n" if self.in_message else b"\r\n")) >= 0:
            verb = b"" if self.in_message else self.buffer[:4].upper()
            self.buffer = self.buffer[end + (5 if self.in_message else 2) :]
            self.in_message = verb == b"DATA"
            replies.append(self.replies.get(verb, b"250 Ok\r\n"))
        self.transport.write(b"".join(replies))


if __name__ == "__main__":
    main()
