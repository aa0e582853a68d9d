"""A process that counts together with others. It does what it reads: a number is counted, `?` asks for the sum, `fork`
has a child of its own count 1 and end.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, Counter, generate_latest

from app.metrics import directory, sharing


def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    directory.share(Path(sys.argv[1]))
    sharing.join()
    own = CollectorRegistry()
    counted = Counter("counted", "What was read", registry=own)
    say(directory.given())
    for line in sys.stdin:
        match line.strip():
            case "?":
                text = generate_latest(sharing.of_all_processes(own)).decode()
                (total,) = (line for line in text.splitlines() if line.startswith("counted_total"))
                say(total.split()[1])
            case "fork":
                child = os.fork()
                if child == 0:
                    counted.inc()
                    os._exit(0)
                say(os.waitpid(child, 0)[1])
            case number:
                counted.inc(int(number))
                say(number)


def say(answer: object) -> None:
    sys.stdout.write(f"{answer}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
