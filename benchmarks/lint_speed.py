"""Lint 500 files of 20 statements without a database: ``python -m benchmarks.lint_speed``."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

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


def main() -> None:
    """Write the files, lint them as one run, and print the seconds of processor time."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lint_speed", description=__doc__)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--statements", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scripts = []
        for file in range(options.files):
            numbers = range(file * options.statements, (file + 1) * options.statements)
            text = "\n".join(STATEMENTS[n % len(STATEMENTS)].format(n=n) for n in numbers)
            path = Path(folder, f"{file:04}_bench.sql")
            path.write_text(text)
            scripts.append(Script(path.name, path))
        began, began_wall = time.process_time(), time.perf_counter()
        found = tell(lint([Source(script.name, *script.statements()) for script in scripts]))
        print(
            f"{options.files} files of {options.statements} statements: {time.process_time() - began:.2f} s of "
            f"processor time, {time.perf_counter() - began_wall:.2f} s by the clock, {len(found):,} findings"
        )


if __name__ == "__main__":
    main()
