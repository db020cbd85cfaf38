"""What can hardly be done with less: ``psql`` in one session, a loop of psycopg, and one with our promises."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contestants import careful
from benchmarks.contestants.base import Contestant
from benchmarks.contestants.loop import checksum
from benchmarks.processes import Command
from benchmarks.servers import Database, Server
from benchmarks.texts import Text, write
from sqlmigrations.programs import find


class Floor(Contestant):
    """Runs files and remembers them in a table of two columns."""

    def lay_out(self, folder: Path, texts: Sequence[Text]) -> None:
        """Write the files as they are."""
        write(folder, texts)

    def make_tables(self, folder: Path, server: Server, database: Database) -> None:
        """Make the table."""
        server.tell(database, "CREATE TABLE IF NOT EXISTS history (name text PRIMARY KEY, checksum text)")

    def remember(self, folder: Path, server: Server, database: Database, texts: Sequence[Text]) -> None:
        """Insert the rows."""
        rows = [(text.name, checksum(text.sql.encode())) for text in texts]
        server.fill(database, "INSERT INTO history VALUES (%s, %s)", rows)


class Psql(Floor):
    """One session of ``psql``, which reads the files itself."""

    name = "psql"
    about = r"one session; for each file `BEGIN`, `\i`, `INSERT` of a row, `COMMIT`"

    #: What is done for each file. It stands in a script, since psql has no loops.
    FILE = "BEGIN;\n\\i {name}.sql\nINSERT INTO history (name) VALUES ('{name}');\nCOMMIT;\n"

    def lay_out(self, folder: Path, texts: Sequence[Text]) -> None:
        """Write the files, and the script that runs them."""
        super().lay_out(folder, texts)
        (folder / "run.psql").write_text("".join(self.FILE.format(name=text.name) for text in texts))

    def command(self, folder: Path, database: Database) -> Command:
        """Run the script."""
        options = ("--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", "run.psql")
        return Command((find("psql", database.version), *options), database.environment, folder)


class PsqlEach(Floor):
    """A process of ``psql`` for each file, as a shell script starts it."""

    name = "psql -1 -f"
    about = "a process for each file, each in a transaction; nothing is remembered"

    #: Stops at the first file that fails.
    LOOP = 'for file in *.sql; do "$0" "$@" --file "$file" || exit; done'

    def command(self, folder: Path, database: Database) -> Command:
        """Run one file after the other."""
        options = ("--no-psqlrc", "--quiet", "--single-transaction", "--set", "ON_ERROR_STOP=1")
        psql = find("psql", database.version)
        return Command(("sh", "-c", self.LOOP, psql, *options), database.environment, folder)


class Psycopg(Floor):
    """Thirty lines of Python that do the same, and compare checksums."""

    name = "psycopg"
    about = "a loop of thirty lines; for each file `BEGIN`, the file as one message, `INSERT` of a row, `COMMIT`"

    def command(self, folder: Path, database: Database) -> Command:
        """Run the loop."""
        return Command((sys.executable, "-m", "benchmarks.contestants.loop", folder), database.environment)


class Careful(Floor):
    """The same loop with what ours promises of each file."""

    name = "careful"
    about = (
        "the loop with our promises, in plain psycopg: a lock, each statement by itself, the session reset, a look at "
        "the locks held, the text on record, two events that carry each other's hash"
    )

    def make_tables(self, folder: Path, server: Server, database: Database) -> None:
        """Make its tables."""
        server.tell(database, careful.TABLES)

    def remember(self, folder: Path, server: Server, database: Database, texts: Sequence[Text]) -> None:
        """Insert the rows."""
        rows = [(text.name, checksum(text.sql.encode()), text.sql) for text in texts]
        server.fill(database, "INSERT INTO careful_record VALUES (%s, %s, %s)", rows)

    def command(self, folder: Path, database: Database) -> Command:
        """Run the loop."""
        return Command((sys.executable, "-m", "benchmarks.contestants.careful", folder), database.environment)
