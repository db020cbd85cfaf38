"""Proves of down scripts that they undo their files: up, down and up again in a scratch database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.scripts import SQLFile
from sqlmigrations.messages import gettext as _
from sqlmigrations.schema.compare import compare
from sqlmigrations.schema.difference import Difference, Findings, Skipped, Source
from sqlmigrations.schema.scratch import NoScratch
from sqlmigrations.service.anew import Anew, ReplayFailed, anew
from sqlmigrations.service.gather import OnDisk
from sqlmigrations.service.run import Run
from sqlmigrations.severity import Severity


def compare_roundtrip(wrapper: BaseDatabaseWrapper, disk: OnDisk) -> Findings:
    """Prove of each file with a down script that it undoes the file, and that the file runs again after it.

    All migrations and files on disk are taken, pending ones too, but for seeds and for files that migrations apply.
    """
    files = [file for file in disk.files if file.kind is not Kind.SEED]
    differences: list[Difference] = []
    skipped: list[Skipped] = []
    try:
        with anew(wrapper, "round trip") as new:
            new.migrate(None)
            with new.runs() as run:
                for file in files:
                    if new.holds(run, file):
                        skipped += [_of_migration(file)] if file.down else []
                    else:
                        differences += _roundtrip(new, run, file)
    except NoScratch as error:
        return Findings(skipped=(Skipped(_("the round trip"), error.reason, error.remedy),))
    except ReplayFailed as error:
        differences.append(error.as_difference(Source.ROUNDTRIP))
    examined = len([file for file in files if file.down]) - len(skipped)
    return Findings(tuple(differences), {"round trip": examined}, skipped=tuple(skipped))


def _of_migration(file: SQLFile) -> Skipped:
    """Say that a file can't be tried alone: the migrations behind the one that applies it may build on it."""
    what = _("the round trip of {name}", name=file.name)
    remedy = _("Migrate its app backwards and forwards in a database for tests.")
    return Skipped(what, _("a Django migration applies it"), remedy, asked=False)


def _roundtrip(new: Anew, run: Run, file: SQLFile) -> Iterator[Difference]:
    """Apply a file; where it has a down script, revert and apply it again, and compare.

    Raises:
        ReplayFailed: the file itself fails.
    """
    before = new.catalog() if file.down else None
    new.apply(run, file)
    if file.down is None or before is None:
        return
    after = new.catalog()
    try:
        new.revert(run, file, file.down)
    except ReplayFailed as error:
        yield _of_roundtrip(file.down.name, "down script", "possible to run", error.why)
        return
    left = compare(before, new.catalog(), source=Source.ROUNDTRIP)
    if words := _differing(left):
        yield _of_roundtrip(file.down.name, "down script", "complete", words)
    try:
        new.apply(run, file)
    except ReplayFailed as error:
        yield _of_roundtrip(file.name, "second run", "possible", error.why)
        return
    if not left and (words := _differing(compare(after, new.catalog(), source=Source.ROUNDTRIP))):
        yield _of_roundtrip(file.name, "second run", "the same as the first", words)


def _of_roundtrip(name: str, attribute: str, expected: str, found: str) -> Difference:
    return Difference(Source.ROUNDTRIP, "file", name, attribute, expected, found, Severity.ERROR, f"mend {name}")


def _differing(differences: Sequence[Difference]) -> str:
    """Say in a line what differs; the order of columns does not count: a column that comes back stands at the end."""
    named = [
        f"{each.kind} {each.object} "
        + (f"is {each.found}" if each.attribute == "presence" else f"has other {each.attribute}")
        for each in differences
        if each.attribute != "column_order"
    ]
    shown = "; ".join(named[:3])
    return f"{shown}; and {len(named) - 3} more" if len(named) > 3 else shown
