"""What an event document costs before anything is done with it: µs to validate it and to follow its states.

`python -m benchmarks.records`: one of core's own documents, and the same with a history several times as long. What it
costs then grows with the history, not with its square; a step of the states costs more on a record that is already
full. In one process and one thread, the median of rounds that take turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.records.schema import event_document
from app.records.state import merged_declaration, pending_action, states

EVENTS = Path(__file__).parents[1] / "tests" / "contract" / "events.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--bytes", type=int, default=11_000, help="size of the document, about")
    parser.add_argument("--longer", type=int, default=8, help="how many times as long the second history is")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=500, help="of each function, in a round")
    options = parser.parse_args()
    document = nearest(options.bytes)
    longer = with_history(document, options.longer)
    costs = [measured(work_on(one), options.rounds, options.calls) for one in (document, longer)]
    print(f"{'':20}{size(document):>16}{size(longer):>16}{'ratio':>8}")
    for name, cost in costs[0].items():
        print(f"{name:20}{cost:>13.1f} µs{costs[1][name]:>13.1f} µs{costs[1][name] / cost:>8.1f}")


def nearest(size_in_bytes: int) -> dict[str, Any]:
    """The document of the contract that comes nearest to a size."""
    events: list[dict[str, Any]] = [json.loads(line) for line in EVENTS.read_bytes().splitlines()]
    return min(events, key=lambda event: abs(len(compact(event)) - size_in_bytes))


def with_history(document: dict[str, Any], times: int) -> dict[str, Any]:
    """All that came before the pending action, several times over."""
    pending = pending_action(event_document(document)).id
    before = [action for action in document["actions"] if action["id"] != pending]
    return document | {
        "actions": before * times + [action for action in document["actions"] if action["id"] == pending]
    }


def compact(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def size(document: dict[str, Any]) -> str:
    return f"{len(document['actions'])} in {len(compact(document)) / 1000:.0f} KB"


def work_on(document: dict[str, Any]) -> dict[str, Callable[[], object]]:
    body, read = compact(document), event_document(document)
    pending = pending_action(read)
    return {
        "json.loads": lambda: json.loads(body),
        "event_document": lambda: event_document(document),
        "pending_action": lambda: pending_action(read),
        "all states": lambda: list(states(read)),
        "merged_declaration": lambda: merged_declaration(read, pending),
    }


def measured(work: dict[str, Callable[[], object]], rounds: int, calls: int) -> dict[str, float]:
    """µs a call, by name."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, call in work.items():
            taken[name].append(timeit.timeit(call, number=calls) / calls * 1e6)
    return {name: statistics.median(times) for name, times in taken.items()}


if __name__ == "__main__":
    main()
