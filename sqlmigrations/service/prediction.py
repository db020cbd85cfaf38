"""Puts what the linter said of a statement beside what was measured when it ran."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlmigrations.files.trees import Path
from sqlmigrations.lint.base import Finding
from sqlmigrations.runner.measurements import MeasuredStatement
from sqlmigrations.runner.modes import Mode

#: Slow work of which the server says nothing while it does it, so that no rehearsal can tell.
UNHEARD = frozenset({"alter-domain-constraint", "delete-without-where", "update-without-where"})

#: Rules that tell of locks which the text of a statement does not show: those of tables that the catalog knows, of the
#: relations that a statement names beside its own, of indexes.
TELL_LOCKS = frozenset(
    {
        "alter-domain-constraint",
        "attach-partition",
        "change-type-locks-others",
        "detach-partition",
        "drop-foreign-key",
        "drop-index-blocking",
        "drop-schema",
        "drop-table-locks-others",
        "references-locks-other",
        "reindex-blocking",
    }
)


@dataclass(frozen=True, slots=True)
class LockPrediction:
    """The strongest lock with which a file keeps others from a relation of before: predicted, and measured.

    ``rules`` tell of a lock that the text doesn't show.
    """

    relation: str
    predicted: Mode | None
    measured: Mode | None
    rules: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether it is locked as was predicted, or told of by a rule."""
        return self.predicted == self.measured or (self.predicted is None and bool(self.rules))

    def __str__(self) -> str:
        predicted, measured = (str(mode) if mode else "no lock" for mode in (self.predicted, self.measured))
        return f"{self.relation}: predicted {predicted}, measured {measured}"


def lock_predictions(
    foreseen: Mapping[Path, str],
    findings: Iterable[Finding],
    measured: Iterable[MeasuredStatement],
    *,
    sees_all: bool = True,
) -> Iterator[LockPrediction]:
    """Yield what was predicted and measured of each relation from which one file keeps others.

    Without ``sees_all`` a lock that was not seen may have been taken all the same, and nothing is said of it.
    """
    measured = tuple(measured)
    telling = {(one.statement, one.rule.id) for one in findings if one.rule.id in TELL_LOCKS}
    seen: dict[str, Mode] = {}
    rules: dict[str, set[str]] = {}
    for statement in measured:
        for lock in statement.locks:
            if lock.mode.blocks_writers:
                seen[lock.relation] = max(lock.mode, seen.get(lock.relation, lock.mode))
                told = {id for number, id in telling if number == statement.number}
                rules.setdefault(lock.relation, set()).update(told)
    predicted = {_relation(path, seen): Mode[mode] for path, mode in foreseen.items()}
    sees_all = sees_all and not any(statement.is_watched for statement in measured)
    for relation in sorted({*seen, *(predicted if sees_all else ())}):
        told = rules.get(relation, set())
        yield LockPrediction(relation, predicted.get(relation), seen.get(relation), tuple(sorted(told)))


def _relation(path: Path, seen: Iterable[str]) -> str:
    """Return the name under which a relation was seen; without its schema in a file, that is any of this name."""
    written = ".".join(path)
    return next((one for one in seen if one == written or (len(path) == 1 and one.endswith(f".{written}"))), written)


@dataclass(frozen=True, slots=True)
class Prediction:
    """One statement of which slow work was predicted by ``rules``, or measured.

    ``cleared`` says why the catalog saw no danger in it, few rows for one.
    """

    statement: int
    line: int
    rules: tuple[str, ...]
    is_measured: bool
    duration_ms: float
    cleared: str = ""

    @property
    def agrees(self) -> bool:
        """Whether both say that it is slow."""
        return bool(self.rules) and self.is_measured

    def __str__(self) -> str:
        predicted = f"predicted slow ({', '.join(self.rules)})" if self.rules else "not predicted"
        predicted += f" and cleared: {self.cleared}" if self.cleared else ""
        measured = "measured slow" if self.is_measured else "measured: nothing slow"
        return f"line {self.line}: {predicted}, {measured}, {self.duration_ms:,.1f} ms"


def predictions(findings: Iterable[Finding], measured: Iterable[MeasuredStatement]) -> Iterator[Prediction]:
    """Yield the statements of one file of which slow work was predicted or measured.

    What the catalog cleared counts as predicted, with the reason, where it was measured all the same.
    """
    slow = [finding for finding in findings if finding.rule.slow and finding.rule.id not in UNHEARD]
    for statement in measured:
        own = [finding for finding in slow if finding.statement == statement.number]
        standing = {finding.rule.id for finding in own if finding.stands}
        cleared = {finding.rule.id: finding.because for finding in own if not finding.stands and not standing}
        if standing or statement.is_slow:
            yield Prediction(
                statement.number,
                statement.line,
                tuple(sorted(standing or cleared)),
                statement.is_slow,
                statement.duration_ms,
                "; ".join(sorted(set(cleared.values()))),
            )
