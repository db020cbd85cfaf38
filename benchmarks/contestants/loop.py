"""The least that applies SQL files once each from Python: ``python -m benchmarks.contestants.loop FOLDER``.

Libpq's variables name the database, which has the table ``history (name, checksum)``.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import psycopg


def main(folder: Path) -> None:
    """Run the files that the history doesn't know, each in a transaction of its own together with its row."""
    with psycopg.connect(autocommit=True) as connection:
        known: dict[str, str] = dict(connection.execute("SELECT name, checksum FROM history").fetchall())
        for path in sorted(folder.glob("*.sql")):
            sql = path.read_bytes()
            if path.stem in known:
                if known[path.stem] != checksum(sql):
                    raise SystemExit(f"{path.name} has changed.")
                continue
            with connection.transaction():
                connection.execute(sql)
                connection.execute("INSERT INTO history VALUES (%s, %s)", [path.stem, checksum(sql)])


def checksum(sql: bytes) -> str:
    """Return the checksum of a file."""
    return hashlib.sha256(sql).hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
