"""The pages that tests walk through, and what they find when they begin."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import DOCS
from tests.docs.walk import Walk

_numbers = itertools.count(1)

#: What gathers over the years, besides customers and orders.
_TABLES = [f"ledger_{year}" for year in range(1997, 2025)]


def old_tables() -> Iterator[str]:
    """Yield statements that make thirty tables, as somebody might have written them long ago."""
    yield "CREATE TABLE customers (id serial PRIMARY KEY, email varchar(200) NOT NULL UNIQUE)"
    yield """CREATE TABLE orders (id serial PRIMARY KEY, customer_id int NOT NULL REFERENCES customers,
             total numeric(10, 2) NOT NULL CHECK (total >= 0), placed timestamptz DEFAULT now())"""
    for name in _TABLES:
        yield f"CREATE TABLE {name} (id serial PRIMARY KEY, name varchar(50) NOT NULL, note text DEFAULT '')"
        yield f"CREATE INDEX {name}_name_idx ON {name} (lower(name))"


@dataclass(frozen=True)
class Scene:
    """What a page begins with: names of databases that it works on, and statements that fill those which are there."""

    databases: tuple[str, ...]
    there: Mapping[str, tuple[str, ...]]


SCENES = {
    "tutorial.md": Scene(("shop",), {}),
    "existing-database.md": Scene(("shop",), {"shop": tuple(old_tables())}),
}


def walk(page: Path, folder: Path, *, python: Path | None = None, wheel: Path | None = None) -> Walk:
    """Return a reader of ``page`` with databases of its own; with ``wheel``, it is what ``python`` installs."""
    scene = SCENES[str(page.relative_to(DOCS))]
    number = next(_numbers)
    words = {name: f"sqlm_docs_{os.getpid()}_{number}_{name}" for name in scene.databases}
    return Walk(folder, words, scene.databases, scene.there, python or Path(sys.executable), wheel)
