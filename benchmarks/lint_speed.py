"""Measure the linter without a database: ``python -m benchmarks.lint_speed [--files N] [--statements N]``."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measurement import Alone, main, parameter
from benchmarks.results import Section, Table
from sqlmigrations.files.scripts import Script
from sqlmigrations.lint.linter import Source, lint, tell

#: What stands in a file, over and over; half of it has findings.
STATEMENTS = (
    "CREATE TABLE made_{n} (id bigint PRIMARY KEY, name text NOT NULL, made timestamptz DEFAULT now());",
    "CREATE INDEX made_{n}_name_idx ON made_{n} (name);",
    "COMMENT ON TABLE made_{n} IS 'made by statement {n}';",
    "ALTER TABLE made_{n}\n    ADD COLUMN other text,\n    ADD CONSTRAINT made_{n}_check CHECK (name <> '');",
    "CREATE INDEX old_{n}_name_idx ON old (name_{n});",
    "ALTER TABLE old ADD COLUMN added_{n} uuid DEFAULT gen_random_uuid();",
    "ALTER TABLE old ADD CONSTRAINT old_{n}_fkey FOREIGN KEY (added_{n}) REFERENCES other (id);",
    "UPDATE old SET name_{n} = lower(name_{n}) WHERE id BETWEEN {n} AND 100;",
    "CREATE OR REPLACE VIEW seen_{n} AS SELECT id, name FROM made_{n} WHERE made > now() - interval '1 day';",
    "DO $$\nBEGIN\n    ALTER TABLE old ALTER COLUMN name_{n} SET NOT NULL;\nEND\n$$;",
)


@dataclass(frozen=True, kw_only=True)
class LintSpeed(Alone):
    """Lint files as one run would, from disk to findings."""

    title = "The linter"
    about = "Files are read, split, parsed and linted together, without a database; DO blocks are among them."

    files: int = parameter(500, "how many files", quick=100)
    statements: int = parameter(20, "how many statements in each", quick=20)

    def measure(self) -> Section:
        """Write the files and lint them."""
        with tempfile.TemporaryDirectory() as folder:
            scripts = [self._script(Path(folder), number) for number in range(self.files)]
            began, clock = time.process_time(), time.perf_counter()
            found = tell(lint([Source(script.name, *script.statements()) for script in scripts]))
            wall, cpu = time.perf_counter() - clock, time.process_time() - began
        columns = ("files", "statements in each", "findings", "wall, s", "CPU, s")
        return self.section(tables=(Table(columns, ((str(self.files), self.statements, len(found), wall, cpu),)),))

    def _script(self, folder: Path, number: int) -> Script:
        """Write one file."""
        numbers = range(number * self.statements, (number + 1) * self.statements)
        path = folder / f"{number:04}_bench.sql"
        path.write_text("\n".join(STATEMENTS[n % len(STATEMENTS)].format(n=n) for n in numbers))
        return Script(path.name, path)


if __name__ == "__main__":
    main(LintSpeed)
