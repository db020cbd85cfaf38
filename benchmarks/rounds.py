"""Turn by turn: each round every contestant once, so that what else happens on the machine strikes all of them alike.

A ratio is taken within a round, where the machine was as busy for one as for the other; the median over the rounds
counts. Absolute seconds are told as medians too, but only those of one run of the command can be compared.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from benchmarks.processes import Command, MemoryWatch, run
from benchmarks.servers import Database, Server


@dataclass(frozen=True, slots=True)
class Sample:
    """What one turn took: seconds, megabytes, and what the server counted; None where nobody tells."""

    wall: float
    client_cpu: float
    server_cpu: float | None = None
    memory: float | None = None
    server_memory: float | None = None
    connections: int | None = None
    commits: int | None = None
    statements: int | None = None
    flushes: int | None = None

    @property
    def cpu(self) -> float | None:
        """The processor time of client and server."""
        return None if self.server_cpu is None else self.client_cpu + self.server_cpu


def take(server: Server, database: Database, command: Command) -> Sample:
    """Run a program on a database and take its measure and the server's."""
    before = server.counters(database)
    with MemoryWatch(partial(server.backends, database), "RssAnon") as backends:
        used = run(command)
    counted = server.counters(database).since(before)
    return Sample(
        used.wall,
        used.cpu,
        counted.cpu,
        used.memory,
        backends.peak,
        counted.connections,
        counted.commits,
        counted.statements,
        counted.flushes,
    )


#: Takes one figure from a sample.
Figure = Callable[[Sample], float | None]


@dataclass(frozen=True)
class Rounds:
    """The samples of each contestant, one for each round."""

    samples: Mapping[str, Sequence[Sample]]

    def median(self, name: str, figure: Figure) -> float | None:
        """Return the median of a figure."""
        return _median(figure(sample) for sample in self.samples[name])

    def ratio(self, name: str, base: str, figure: Figure) -> float | None:
        """Return the median of a figure's ratios to that of another contestant in the same round."""
        return self._within(name, base, figure, lambda own, other: own / other)

    def difference(self, name: str, base: str, figure: Figure) -> float | None:
        """Return the median of a figure's differences from that of another contestant in the same round."""
        return self._within(name, base, figure, lambda own, other: own - other)

    def _within(self, name: str, base: str, figure: Figure, compare: Callable[[float, float], float]) -> float | None:
        if name not in self.samples or base not in self.samples:
            return None
        pairs = (
            (figure(own), figure(other)) for own, other in zip(self.samples[name], self.samples[base], strict=True)
        )
        return _median(None if own is None or not other else compare(own, other) for own, other in pairs)

    def as_json(self) -> dict[str, Any]:
        """Return every sample of every round."""
        return {name: [asdict(sample) for sample in samples] for name, samples in self.samples.items()}


def _median(values: Iterable[float | None]) -> float | None:
    found = list(values)
    told = [value for value in found if value is not None]
    return statistics.median(told) if told and len(told) == len(found) else None


def play(turns: Mapping[str, Callable[[], Sample]], rounds: int) -> Rounds:
    """Let each have its turn in every round, another one beginning each time."""
    samples: dict[str, list[Sample]] = {name: [] for name in turns}
    names = list(turns)
    for number in range(rounds):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            samples[name].append(turns[name]())
            say(f"round {number + 1} of {rounds}: {name} {samples[name][-1].wall:.2f} s")
    return Rounds(samples)


def say(words: str) -> None:
    """Tell the person who waits what is going on."""
    sys.stderr.write(f"  {words}\n")
    sys.stderr.flush()
