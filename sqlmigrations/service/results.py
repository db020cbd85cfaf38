"""What a run returns, and what it tells while it goes on, forwards or backwards.

Every run imports this module, and most find nothing to do: of the runner only the names of types are here.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlmigrations.exceptions import Problem
from sqlmigrations.files.kinds import Kind
from sqlmigrations.plan import UNFINISHED, Missing, Plan, Status, Step
from sqlmigrations.service.told import Told

if TYPE_CHECKING:
    from sqlmigrations.files.scripts import Script
    from sqlmigrations.runner.batch_position import Batches
    from sqlmigrations.runner.failure import Failure
    from sqlmigrations.runner.lock import Holder
    from sqlmigrations.runner.outcome import Outcome
    from sqlmigrations.service.gate import GateReport
    from sqlmigrations.service.lint import LintReport


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file; ``asked`` is false where the run was asked for others."""

    name: str
    kind: Kind
    status: Status
    reason: str = ""
    duration_ms: float = 0.0
    statements: int = 0
    lock_wait_ms: float = 0.0
    error: Failure | None = None
    notes: tuple[str, ...] = ()
    batches: Batches | None = None
    asked: bool = True

    @classmethod
    def of(cls, outcome: Outcome, kind: Kind) -> FileResult:
        """Return the result that an outcome of the runner stands for."""
        return cls(
            outcome.name,
            kind,
            Status(outcome.state),
            reason="; ".join(outcome.notes) if outcome.settled_elsewhere else "",
            duration_ms=outcome.duration_ms,
            statements=outcome.statements,
            lock_wait_ms=outcome.lock_wait_ms,
            error=outcome.error,
            notes=outcome.notes,
            batches=outcome.batches,
        )


def left(step: Step, reason: str) -> FileResult:
    """Return the result of a file that the run leaves as it is."""
    status = Status.PENDING if step.runs and step.status is not Status.PARTIAL else step.status
    return FileResult(step.name, step.kind, status, reason, asked=step.asked)


def is_told(step: Step) -> bool:
    """Say whether a file that does not run is not as it should be."""
    return step.status in UNFINISHED or step.status is Status.CHANGED


def gone(plan: Plan) -> Iterator[FileResult]:
    """Yield the files that are missing."""
    for file in plan.missing:
        yield FileResult(file.name, file.kind, file.status, file.reason, asked=file.asked)


def changing(results: Iterable[FileResult]) -> list[str]:
    """Return the names of the files that did something to the database."""
    return [each.name for each in results if each.status in (Status.APPLIED, Status.PARTIAL, Status.REVERTED)]


def summary(files: Iterable[FileResult | Step | Missing]) -> dict[str, int]:
    """Return how many files are in each state; the common ones are always named."""
    counts = Counter(str(result.status) for result in files)
    return {name: counts[name] for name in ("applied", "failed", "held", "pending")} | dict(counts)


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run did."""

    database: str
    run: uuid.UUID
    files: tuple[FileResult, ...]
    taken: int
    head: str
    warnings: tuple[Problem, ...] = ()
    gate: GateReport | None = None


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What a run would do, and who runs at the moment."""

    database: str
    plan: Plan
    head: str
    holder: Holder | None = None
    warnings: tuple[Problem, ...] = ()
    records_only: bool = False
    #: Django migrations that are applied, which files may require.
    django_applied: Collection[tuple[str, str]] = ()
    #: What was found in the files that would run; None where nobody looked.
    lint: LintReport | None = None

    @property
    def unfinished(self) -> tuple[Step, ...]:
        """The steps that still have something to do."""
        return self.plan.unfinished


# What a run tells while it goes on


@dataclass(frozen=True, slots=True)
class Began:
    """The run holds the lock and knows what it will do."""

    plan: Plan
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Starting:
    """The run turns to a file."""

    name: str
    script: Script
    verb: str = "Applying"


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is done with a file, or holds it."""

    result: FileResult


Report = Told | Began | Starting | Finished

Progress = Callable[[Report], None]


def silent(report: Report) -> None:
    """Take a report and do nothing with it."""
