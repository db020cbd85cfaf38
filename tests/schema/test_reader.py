"""The reader's version: nobody changes what is read, and with it what old snapshots are compared by, unawares."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from sqlmigrations.schema import catalog, reader, snapshot
from sqlmigrations.schema.catalog import Attributes, Catalog, Identity
from sqlmigrations.schema.reader import Part, Reader

#: Of the queries' words, by the version of the reader. Change it with the queries: with a new version and its parts
#: where they read anything else than before, without one where they read the same in other words.
DIGESTS = {2: "654792a243532c58"}


def test_the_version_of_the_reader_stands_for_its_queries() -> None:
    folder = Path(catalog.__file__).parent / "sql" / "catalog"
    texts = [re.sub(r"--.*", "", path.read_text()).split() for path in sorted(folder.glob("*.sql"))]
    assert hashlib.sha256(repr(texts).encode()).hexdigest()[:16] == DIGESTS[reader.CURRENT.version]


def test_readers_are_unlike_in_what_came_after_the_older_one() -> None:
    first, second = Reader(), Reader(2, {("column", "storage"): 2})
    third = Reader(3, {**second.since, ("rule", ""): 3})
    cases: dict[tuple[int, int], set[Part]] = {
        (1, 1): set(),
        (1, 2): {("column", "storage")},
        (2, 3): {("rule", "")},
        (1, 3): {("column", "storage"), ("rule", "")},
    }
    for (one, other), parts in cases.items():
        pair = {1: first, 2: second, 3: third}[one], {1: first, 2: second, 3: third}[other]
        assert pair[0].unlike(pair[1]) == pair[1].unlike(pair[0]) == parts


def test_a_snapshot_is_renewed_by_what_its_reader_did_not_read_and_by_nothing_else() -> None:
    email, name, rule = Identity("column", "a.email"), Identity("column", "a.name"), Identity("rule", "a.r")
    gone = Identity("column", "a.gone")
    kept: dict[Identity, Attributes] = {
        email: {"type": "text", "storage": "as it was worded"},
        name: {"type": "text"},
        gone: {"type": "text"},
    }
    found: dict[Identity, Attributes] = {
        email: {"type": "varchar", "storage": "main"},
        name: {"type": "text"},
        rule: {"definition": "x"},
    }
    today = Reader(2, {("column", "storage"): 2, ("rule", ""): 2})
    again = snapshot.renewed(Catalog(kept, reader=Reader()), Catalog(found, reader=today))
    assert again.reader == today
    assert again.objects == {
        email: {"type": "text", "storage": "main"},
        name: {"type": "text"},
        gone: {"type": "text"},
        rule: {"definition": "x"},
    }
