"""Says where files and history disagree, and where the history disagrees with itself, as differences. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmigrations.history import ChainReport
from sqlmigrations.messages import gettext as _
from sqlmigrations.messages import ngettext
from sqlmigrations.plan import Plan, Status, Step
from sqlmigrations.schema.difference import Difference, Source
from sqlmigrations.severity import Severity


def of_files(plan: Plan, option: str) -> Iterator[Difference]:
    """Yield what the history says of the files."""
    for step in plan:
        if difference := _of_step(step, option):
            yield difference
    for gone in plan.missing:
        yield Difference(
            Source.HISTORY,
            "file",
            gone.name,
            "presence",
            _("on disk"),
            _("gone, though the database holds it"),
            Severity.ERROR,
            _back_again(plan, option),
        )


def _back_again(plan: Plan, option: str) -> str:
    """Say how a missing file comes back: where none is there at all, that is hardly meant."""
    if not plan.steps:
        return _("no file is there at all: see whether SQLMIGRATIONS_DIRS names the right folders")
    return _("restore the file, or: {command}", command=f"manage.py applysql{option} --repair")


def _of_step(step: Step, option: str) -> Difference | None:
    def difference(attribute: str, found: str, severity: Severity, fix: str) -> Difference:
        expected = _("as it was applied") if attribute == "text" else _("applied")
        return Difference(Source.HISTORY, "file", step.name, attribute, expected, found, severity, fix)

    again = f"manage.py applysql{option} {step.name}"
    match step.status:
        case Status.IN_DOUBT:
            fix = _("look whether it happened, then: {command}", command=f"{again} --resume-at N --reason TEXT")
            return difference("state", _("in doubt: {reason}", reason=step.reason), Severity.ERROR, fix)
        case Status.FAILED | Status.PARTIAL:
            message = step.record.error_message.partition("\n")[0] if step.record else ""
            state = _("failed") if step.status is Status.FAILED else _("partial")
            found = _("{state}: {message}", state=state, message=message) if message else state
            return difference("state", found, Severity.ERROR, again)
        case Status.CHANGED:
            repair = f"manage.py applysql{option} --repair"
            fix = _("put the text back and write a new file, or: {command}", command=repair)
            return difference("text", _("changed since"), Severity.ERROR, fix)
        case Status.REVERTED:
            return difference("state", _("reverted"), Severity.INFO, again)
        case Status.LATE:
            return difference("state", _("late: {reason}", reason=step.reason), Severity.ERROR, f"{again} --allow-late")
        case Status.HELD:
            held = _("held: {reason}", reason=step.reason)
            return difference("state", held, Severity.WARNING, f"manage.py applysql{option}")
        case Status.PENDING:
            found = _("pending: {reason}", reason=step.reason) if step.reason else _("pending")
            return difference("state", found, Severity.WARNING, f"manage.py applysql{option}")
    return None


def of_chain(chain: ChainReport) -> Iterator[Difference]:
    """Yield where the chain of events is broken."""
    if not chain.is_intact:
        yield Difference(
            Source.HISTORY,
            "event",
            f"event {chain.break_id}",
            "chain",
            _("unbroken"),
            chain.break_reason,
            Severity.ERROR,
            _("compare it with a backup: events are never changed by this tool"),
        )


def of_head(expected: str | None, chain: ChainReport, *, is_known: bool) -> Iterator[Difference]:
    """Yield what a head that was kept outside reveals: a tail cut off, a rewritten chain, a restored backup."""
    if not is_known:
        yield Difference(
            Source.HISTORY,
            "event",
            "head",
            "chain",
            _("or have been {head}", head=expected),
            ngettext(
                "{count:,} event, {head}, which is another",
                "{count:,} events up to {head}, none of which is that",
                chain.events,
                head=chain.head,
            ),
            Severity.ERROR,
            _("the history was cut, rewritten or restored since that head was printed: find out by whom"),
        )
