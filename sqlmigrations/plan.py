"""What a run would do, in order, with the reason for each file. Pure: files and records in, a plan out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlmigrations.files.checksum import Change
from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.scripts import SQLFile
from sqlmigrations.history import Record
from sqlmigrations.messages import counted
from sqlmigrations.messages import gettext as _
from sqlmigrations.models import State

#: Says which object two files share so that their order matters; nothing where they are independent.
Overlap = Callable[[SQLFile, SQLFile], str]


class Status(StrEnum):
    """The state of a file in a plan and in the report of a run."""

    APPLIED = "applied"
    FAILED = "failed"
    HELD = "held"
    PENDING = "pending"
    LATE = "late"
    CHANGED = "changed"
    MISSING = "missing"
    PARTIAL = "partial"
    IN_DOUBT = "in_doubt"
    REVERTED = "reverted"
    BASELINED = "baselined"
    SKIPPED = "skipped"


class LatePolicy(StrEnum):
    """What to do with a pending file that sorts before an applied one of the same folder."""

    INDEPENDENT = "independent"
    ALLOW = "allow"
    ERROR = "error"


#: A file in one of these, left where it is, holds the later ones that touch what it touches.
BLOCKING = frozenset({Status.FAILED, Status.PARTIAL, Status.IN_DOUBT, Status.LATE, Status.HELD})

#: The last attempt at a file in one of these did not come through; it may have held others.
STOPPED = frozenset({Status.FAILED, Status.PARTIAL, Status.IN_DOUBT})

#: States of a record whose file stands as it was run, with the status that says so.
_AS_IT_IS = {State.APPLIED: Status.APPLIED, State.BASELINED: Status.BASELINED}

#: Files and history disagree about a file in one of these.
DISAGREEING = frozenset({Status.CHANGED, Status.MISSING})

#: Something is left to do for a file in one of these.
UNFINISHED = frozenset({Status.PENDING, *BLOCKING})


@dataclass(frozen=True, slots=True)
class Selection:
    """What a run was asked for; without names it takes all that is pending."""

    names: tuple[str, ...] = ()
    to: str | None = None
    seeds: tuple[str, ...] = ()
    force: bool = False
    late: LatePolicy = LatePolicy.INDEPENDENT
    retakes_reverted: bool = True

    @property
    def is_all(self) -> bool:
        """Whether nothing narrows the run."""
        return not (self.names or self.to or self.seeds)


@dataclass(frozen=True, slots=True)
class Step:
    """One file of the plan: its state now, whether the run takes it, and why or why not.

    ``asked`` is false where a run was asked for other files: what becomes of this one is not what it answers.
    """

    file: SQLFile
    status: Status
    runs: bool = False
    reason: str = ""
    record: Record | None = None
    asked: bool = True

    @property
    def name(self) -> str:
        """The file's name."""
        return self.file.name

    @property
    def kind(self) -> Kind:
        """The file's kind."""
        return self.file.kind


@dataclass(frozen=True, slots=True)
class Missing:
    """A record whose file is gone, though the database holds what it made."""

    name: str
    kind: Kind
    status: Status = Status.MISSING
    reason: str = "the database holds it, but its file is gone"
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """All files in the order of a run, and the records whose file is missing."""

    steps: tuple[Step, ...] = ()
    missing: tuple[Missing, ...] = ()

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    @property
    def runnable(self) -> tuple[Step, ...]:
        """The steps that a run takes, in order."""
        return tuple(step for step in self.steps if step.runs)

    @property
    def asked(self) -> Plan:
        """The same of the files alone that were asked for."""
        return Plan(
            tuple(step for step in self.steps if step.asked), tuple(gone for gone in self.missing if gone.asked)
        )

    @property
    def unfinished(self) -> tuple[Step, ...]:
        """The steps that still have something to do."""
        return tuple(step for step in self.steps if step.runs or step.status in UNFINISHED)

    def with_status(self, *statuses: Status) -> tuple[Step, ...]:
        """Return the steps in one of ``statuses``."""
        return tuple(step for step in self.steps if step.status in statuses)


def make_plan(
    files: Sequence[SQLFile],
    records: Mapping[str, Record],
    *,
    changes: Mapping[str, Change],
    selection: Selection,
    overlap: Overlap,
    renames: Mapping[str, str] | None = None,
    reverted_with: Mapping[str, Sequence[str]] | None = None,
) -> Plan:
    """Decide for each file, in the order given, whether a run takes it.

    ``changes`` says of each recorded file how its text differs from what the database holds, ``renames`` which missing
    file a new one has the text of: it would run a second time under another name. ``reverted_with`` names the files
    that a repeatable went with and comes back with.
    """
    chosen = _chosen(files, selection)
    latest = _latest_held(files, records)
    steps: list[Step] = []
    stopped = False
    for index, file in enumerate(files):
        step = _step(file, records.get(file.name), changes.get(file.name, Change.NONE), selection)
        if step.status is Status.REVERTED and not step.runs and reverted_with and file.name in reverted_with:
            returning = {earlier.name for earlier in steps if earlier.runs}
            step = _comes_back(step, reverted_with[file.name], records, returning)
        if file.name not in chosen and not (selection.is_all and file.kind is Kind.SEED):
            step = replace(step, asked=False)
            if step.runs:
                step = replace(step, runs=False, reason=_("not asked for"))
        if step.runs and renames and (old := renames.get(file.name)) and file.name not in selection.names:
            reason = _("has the text of {name}, whose file is gone; if it was renamed: applysql --repair", name=old)
            step = replace(step, runs=False, reason=reason)
        if step.runs and step.record is None and file.kind is Kind.VERSIONED:
            behind = files[index + 1 : latest.get(file.folder, 0) + 1]
            same_folder = [other for other in behind if other.folder == file.folder and _holds(records, other)]
            # Behind a file that stopped, it may just have been held: then it isn't new, and what it touches decides.
            policy = LatePolicy.INDEPENDENT if stopped and selection.late is LatePolicy.ERROR else selection.late
            step = _late(step, file, same_folder, policy, overlap)
        stopped = stopped or step.status in STOPPED
        steps.append(step)
    return Plan(tuple(steps), tuple(_missing(files, records, asked=selection.is_all)))


def _chosen(files: Sequence[SQLFile], selection: Selection) -> Collection[str]:
    """Return the names of the files that the run was asked for."""
    ordinary = [file.name for file in files if file.kind is not Kind.SEED]
    chosen = set(selection.names) | set(selection.seeds)
    if selection.to is not None:
        chosen.update(ordinary[: ordinary.index(selection.to) + 1])
    return set(ordinary) if selection.is_all else chosen


def _holds(records: Mapping[str, Record], file: SQLFile) -> bool:
    record = records.get(file.name)
    return record is not None and record.is_held and file.kind is Kind.VERSIONED


def _latest_held(files: Sequence[SQLFile], records: Mapping[str, Record]) -> dict[str, int]:
    """Return for each folder the place of its last versioned file that the database holds."""
    latest: dict[str, int] = {}
    for index in range(len(files) - 1, -1, -1):
        file = files[index]
        if file.folder not in latest and _holds(records, file):
            latest[file.folder] = index
    return latest


def _step(file: SQLFile, record: Record | None, change: Change, selection: Selection) -> Step:
    """Decide about one file by its own record alone."""
    if record is not None and change is Change.NONE and record.state in _AS_IT_IS and file.kind is not Kind.SEED:
        return Step(file, _AS_IT_IS[record.state], record=record)  # nearly all of them are so

    def step(status: Status, *, runs: bool = False, reason: str = "") -> Step:
        return Step(file, status, runs, reason, record)

    if file.kind is Kind.SEED:
        return _seed(step, file, record, change, selection)
    if record is None:
        batch = file.directives.batch
        return step(
            Status.PENDING, runs=True, reason=_("in batches of {size:,} rows", size=batch.size) if batch else ""
        )
    match record.state:
        case State.FAILED if record.progress is not None:
            return step(Status.FAILED, runs=True, reason=_("only its verify script is left to run"))
        case State.FAILED:
            return step(Status.FAILED, runs=True, reason=_("failed before"))
        case State.PARTIAL:
            return _partial(step, file, record)
        case State.IN_DOUBT:
            return step(Status.IN_DOUBT, reason=record.error_message.partition("\n")[0])
        case State.REVERTED:
            retaken = selection.to is not None and selection.retakes_reverted
            again = file.name in selection.names or retaken or change is not Change.NONE
            reason = _("was reverted") if again else _("was reverted; name it to apply it")
            return step(Status.REVERTED, runs=again, reason=reason)
    return _held(step, file, record, change)


def _partial(step: Callable[..., Step], file: SQLFile, record: Record) -> Step:
    """Decide about a file that stopped half-way, outside a transaction."""
    progress = record.progress or {}
    if progress.get("direction") == "backwards":
        return step(Status.PARTIAL, reason=_("half reverted: revertsql {name} goes on", name=file.name))
    batches = progress.get("batches")
    if file.directives.transaction:
        template = _("it stopped half-way outside a transaction, and its `{directive}` is gone")
        return step(Status.PARTIAL, reason=_(template, directive="batch" if batches else "transaction off"))
    return step(Status.PARTIAL, runs=True, reason=_resumes(record, batches))


def _resumes(record: Record, batches: Mapping[str, Any] | None) -> str:
    if batches:
        return _(
            "resumes behind key {key}; done: {batches}, {rows}",
            key=", ".join(batches["after"]),
            batches=counted(batches["batches"], "batch", "batches"),
            rows=counted(batches["rows"], "row"),
        )
    if not record.statements_total:
        return _("resumes after statement {done}", done=record.statements_done)
    return _("resumes after statement {done} of {total}", done=record.statements_done, total=record.statements_total)


def _comes_back(step: Step, others: Iterable[str], records: Mapping[str, Record], returning: Collection[str]) -> Step:
    """Decide about a repeatable that was reverted only since it builds on ``others``: it comes back behind them."""
    away = [name for name in others if name not in returning and not (name in records and records[name].is_held)]
    if away:
        template = (
            _("was reverted with {names} and comes back behind it")
            if len(away) == 1
            else _("was reverted with {names} and comes back behind them")
        )
        return replace(step, reason=_(template, names=", ".join(away)))
    return replace(step, status=Status.PENDING, runs=True, reason=_("was reverted only with what it builds on"))


def _held(step: Callable[..., Step], file: SQLFile, record: Record, change: Change) -> Step:
    """Decide about a file that the database holds."""
    status = Status.BASELINED if record.state == State.BASELINED else Status.APPLIED
    if change is Change.NONE:
        return step(status)
    if file.kind is Kind.REPEATABLE:
        return step(Status.PENDING, runs=True, reason=_("its text changed"))
    if change is Change.COSMETIC:
        return step(status, reason=_("comments or layout changed since"))
    return step(Status.CHANGED, reason=_("its text changed after it was applied"))


def _seed(
    step: Callable[..., Step], file: SQLFile, record: Record | None, change: Change, selection: Selection
) -> Step:
    applied = record is not None and record.is_held and record.state != State.FAILED
    status = Status.APPLIED if applied else Status.SKIPPED
    if record is not None and record.state == State.FAILED:
        reason = _("a seed that failed; --seed tries again")
        return step(Status.FAILED, runs=file.name in selection.seeds, reason=reason)
    if record is not None and record.state == State.IN_DOUBT:
        return step(Status.IN_DOUBT, reason=record.error_message.partition("\n")[0])
    if record is not None and record.state == State.PARTIAL:
        stopped = _partial(step, file, record)
        if stopped.runs and file.name not in selection.seeds:
            return replace(stopped, runs=False, reason=_("a seed that stopped half-way; --seed goes on with it"))
        return stopped
    if file.name not in selection.seeds:
        return step(status, reason="" if applied else _("a seed runs only when asked for: --seed"))
    if applied and change is Change.NONE and not selection.force:
        return step(status, reason=_("has not changed since; --force runs it again"))
    return step(Status.PENDING, runs=True)


def _late(step: Step, file: SQLFile, later: Sequence[SQLFile], policy: LatePolicy, overlap: Overlap) -> Step:
    """Decide about a file that others of its folder have overtaken."""
    if not later:
        return step
    if policy is LatePolicy.ALLOW or file.directives.allow_late:
        return replace(step, reason=_("late: {name} is applied already; allowed", name=later[-1].name))
    if policy is LatePolicy.ERROR:
        reason = _("{name} is applied already; --allow-late applies it all the same", name=later[-1].name)
        return replace(step, status=Status.LATE, runs=False, reason=reason)
    for other in later:
        if shared := overlap(file, other):
            reason = _(
                "{name} is applied already and touches {shared} too; --allow-late applies it all the same",
                name=other.name,
                shared=shared,
            )
            return replace(step, status=Status.LATE, runs=False, reason=reason)
    return replace(step, reason=_("late, but independent of the {count} applied after it", count=len(later)))


def _missing(files: Iterable[SQLFile], records: Mapping[str, Record], *, asked: bool) -> Iterator[Missing]:
    names = {file.name for file in files}
    for name, record in sorted(records.items()):
        if name in names:
            continue
        if record.state in (State.RETIRED, State.REVERTED) or (record.state == State.FAILED and not record.is_held):
            continue
        yield Missing(name, record.kind, asked=asked)
