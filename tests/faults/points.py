"""Where a run can be broken, and how."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from tests.faults.databases import address, ask, database
from tests.faults.processes import Job, Place, command, run
from tests.faults.proxy import Moment, Proxy, Step
from tests.faults.scenario import Left, left_in
from tests.helpers import Ran, wait_until

#: What the run lock's connection does now and then beside the run, whenever its thread gets to it.
WATCHING = "pg_blocking_pids"


class Fault(Enum):
    """What befalls the run."""

    KILL = "kill -9 of the runner"
    TERMINATE = "pg_terminate_backend of its working backend"
    TERMINATE_LOCK = "pg_terminate_backend of its lock's backend"
    CUT = "its connection is cut"
    STOP = "immediate stop of the server"


@dataclass(frozen=True)
class Point:
    """A fault at a moment of a step; a step is known by its connection and its number there."""

    fault: Fault
    moment: Moment
    role: str
    number: int
    text: str

    def __str__(self) -> str:
        text = " ".join(self.text.split())[:60]
        return f"{self.fault.value}, {self.moment.value}: {self.role} connection, step {self.number}: {text}"


#: When a fault makes a difference of its own, around what changes the database. A killed runner hears no answers.
MOMENTS = {
    Fault.KILL: (Moment.BEFORE, Moment.SENT),
    Fault.TERMINATE: (Moment.BEFORE, Moment.SENT, Moment.ANSWERED),
    Fault.TERMINATE_LOCK: (Moment.BEFORE, Moment.ANSWERED),
    Fault.CUT: (Moment.BEFORE, Moment.SENT, Moment.ANSWERED),
    Fault.STOP: (Moment.BEFORE, Moment.SENT, Moment.ANSWERED),
}

#: What changes the database for good: COMMIT, and the statements that run bare.
LASTING = ("COMMIT", "CREATE INDEX CONCURRENTLY", "CREATE UNIQUE INDEX", "DROP INDEX", "REINDEX", "VACUUM")


def lasts(text: str) -> bool:
    """Tell whether a message changes the database for good; a file's COMMIT rides with its record and its event."""
    return text.startswith(LASTING) or text.endswith("; COMMIT")


@dataclass
class Steps:
    """The steps of a run, one list for each connection, the looks of the watcher aside."""

    seen: list[Step] = field(default_factory=list)

    def __call__(self, moment: Moment, step: Step) -> None:
        if moment is Moment.BEFORE and WATCHING not in step.text:
            self.seen.append(step)

    def of(self, role: str) -> list[tuple[int, str]]:
        """Return the steps of a connection in order, each with its number."""
        texts = [step.text for step in self.seen if step.link.role == role]
        return list(enumerate(texts, start=1))

    @property
    def before_the_lock(self) -> int:
        """How many steps the working connection takes before the run lock is held."""
        taken = next(at for at, step in enumerate(self.seen) if "pg_try_advisory_lock" in step.text)
        return len([step for step in self.seen[:taken] if step.link.role == "working"])


class Breaker:
    """Count the steps as ``Steps`` does, and do ``act`` at one point, once."""

    def __init__(self, point: Point, act: Callable[[Step], None]) -> None:
        self.point = point
        self.act = act
        self.struck = False
        self._count = 0
        self._step: Step | None = None

    def __call__(self, moment: Moment, step: Step) -> None:
        if self.struck or step.link.role != self.point.role or WATCHING in step.text:
            return
        if moment is Moment.BEFORE:
            self._count += 1
            self._step = step
        if self._count == self.point.number and moment is self.point.moment and step is self._step:
            self.struck = True
            self.act(step)


def steps_of_a_run(server: Place, template: str) -> tuple[Steps, Left]:
    """Run all without a fault; return the steps, and what is left in the database."""
    steps = Steps()
    with database(server, template) as place, Proxy(address(server), steps) as proxy:
        ran = run(through(proxy, place), "applysql")
        assert (ran.code, ran.err) == (0, ""), ran
        return steps, left_in(place)


def through(proxy: Proxy, place: Place) -> Place:
    """Return the way to ``place`` through a proxy."""
    return replace(place, host="127.0.0.1", port=proxy.port)


def points_of(steps: Steps, fault: Fault) -> list[Point]:
    """Return the points at which ``fault`` can strike: before each step, and at every moment around what lasts."""
    return [
        Point(fault, moment, role, number, text)
        for role in ("working", "lock")
        if (fault, role) != (Fault.TERMINATE_LOCK, "lock")
        for number, text in steps.of(role)
        if fault is not Fault.TERMINATE_LOCK or number > steps.before_the_lock
        for moment in MOMENTS[fault]
        if moment is Moment.BEFORE or lasts(text)
    ]


def some_of(points: Sequence[Point], count: int) -> list[Point]:
    """Return ``count`` of the points, evenly spread; every other one is around what lasts."""
    lasting = [point for point in points if lasts(point.text)]
    half = count // 2
    return [*_spread(lasting, half), *_spread(points, count - half)]


def _spread(points: Sequence[Point], count: int) -> list[Point]:
    return [points[at * len(points) // count] for at in range(count)]


@dataclass(frozen=True)
class World:
    """Where faults strike: a server, a database there to copy, the steps of a faultless run and what it leaves."""

    server: Place
    template: str
    steps: Steps
    left: Left
    crash: Callable[[], None] = lambda: None
    recover: Callable[[], None] = lambda: None


def strike(world: World, point: Point) -> list[str]:
    """Break a run at ``point``, run once more, and return what is not as after a run without fault."""
    with database(world.server, world.template) as place:
        broken, struck = _broken_run(world, place, point)
        world.recover()
        again = run(place, "applysql")
        problems = [] if struck else ["the fault did not strike"]
        problems += [f"the broken run crashed: {broken}"] if broken is not None and "Traceback" in broken.err else []
        problems += [f"the next run: {again}; the broken one: {broken}"] if again.code else []
        left = left_in(place)
        return [*problems, *differences(left, world.left)]


def differences(found: Left, expected: Left) -> list[str]:
    """Say what a database holds that it should not, and what it lacks."""
    problems = []
    for name, wanted in vars(expected).items():
        there = getattr(found, name)
        if there == wanted:
            continue
        if isinstance(wanted, str):
            lines = difflib.unified_diff(wanted.splitlines(), there.splitlines(), "expected", "found", n=0, lineterm="")
            problems.append(f"{name}: " + "\n".join(lines))
        else:
            problems.append(f"{name}: {there!r} instead of {wanted!r}")
    return problems


def _broken_run(world: World, place: Place, point: Point) -> tuple[Ran | None, bool]:
    """Run until the fault strikes and the run has ended of it; return its answer, if it could give one."""
    with Proxy(address(world.server)) as proxy, command(through(proxy, place), "applysql") as job:
        breaker = Breaker(point, lambda step: _act(point.fault, world, proxy, job, step))
        proxy.hook = breaker
        ran = job.end()
        return (None if point.fault is Fault.KILL else ran), breaker.struck


def _act(fault: Fault, world: World, proxy: Proxy, job: Job, step: Step) -> None:
    match fault:
        case Fault.KILL:
            job.kill()
            step.link.cut()
        case Fault.TERMINATE:
            _terminate(world.server, step.link.pid)
        case Fault.TERMINATE_LOCK:
            _terminate(world.server, proxy.of("lock").pid)
        case Fault.CUT:
            step.link.cut()
        case Fault.STOP:
            world.crash()


def _terminate(server: Place, pid: int) -> None:
    ask(server, "SELECT pg_terminate_backend(%s)", pid)
    wait_until(lambda: not ask(server, "SELECT 1 FROM pg_stat_activity WHERE pid = %s", pid))
