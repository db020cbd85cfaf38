"""Ours, as it comes: events, locks taken, the schema's snapshot; and with every file's footprint read as well."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contestants.base import Contestant
from benchmarks.processes import Command, run
from benchmarks.servers import Database, Server
from benchmarks.texts import Text, write

#: Sorts before all other files, and fails: whatever overlaps with it would be held.
FAILING = Text("000000_fails", "SELECT 1 / 0;\n")


class ApplySQL(Contestant):
    """``manage.py applysql``."""

    name = "applysql"
    about = "`applysql` as it comes: record, events, locks taken, the schema's snapshot"

    def lay_out(self, folder: Path, texts: Sequence[Text]) -> None:
        """Write the files as they are."""
        write(folder, texts)

    def command(self, folder: Path, database: Database, *arguments: str, codes: tuple[int, ...] = (0,)) -> Command:
        """Run ``applysql`` in a project that has nothing else."""
        return Command(
            (sys.executable, "-m", "django", "applysql", "--verbosity", "0", *arguments),
            {
                **database.environment,
                "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
                "BENCH_APPS": "sqlmigrations",
                "BENCH_FOLDER": str(folder),
            },
            codes=codes,
        )

    def remember(self, folder: Path, server: Server, database: Database, texts: Sequence[Text]) -> None:
        """Record the files without running them, as is done for a database that has had them before."""
        run(self.command(folder, database, "--fake"))


class WithFootprints(ApplySQL):
    """Ours with a file before all others that fails, so that each of them is asked whether it builds on it."""

    name = "applysql-all"
    about = "the same behind a file that fails, so that every file's footprint is read and compared"

    def lay_out(self, folder: Path, texts: Sequence[Text]) -> None:
        """Put the failing file before the others."""
        write(folder, [FAILING, *texts])

    def command(self, folder: Path, database: Database, *arguments: str, codes: tuple[int, ...] = (0,)) -> Command:
        """Expect that one file fails."""
        return super().command(folder, database, *arguments, codes=(1,))
