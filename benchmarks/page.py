"""Keeps results in the repository, and writes the page of the documentation from them: nobody edits it by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from benchmarks.results import Section, markdown
from project.env import BASE_DIR

KEPT = BASE_DIR / "benchmarks" / "results.json"
PAGE = BASE_DIR / "docs" / "explanation" / "benchmarks.md"

HEAD = """\
# Measurements

<!-- Written by `python -m benchmarks --write` from benchmarks/results.json; not edited by hand. -->

What our commands cost, beside tools that do the same or less. One command repeats it all and writes this page, with the
figures that miss what we want.

    make bench                                           # everything
    make bench-quick                                     # a first impression, in two minutes
    python -m benchmarks run_files nothing_to_do --keep  # some of it, and this page anew

Compare figures within a table only. A machine that other work shares, as ours was, doubles and trebles seconds by the
clock, and lengthens processor time as well, since caches are shared too; so contestants take turns, ratios are taken
within a round, and their median counts. Each section says when and where it was measured, and how busy the machine was:
a load average above the number of cores means that programs waited for each other.

The server is PostgreSQL as it comes, durable, made for the measurements, on the same machine, with autovacuum off: it
would come in between. *Client* is the tool's process with all that it starts, *server* all of PostgreSQL's processes. A
tool that isn't installed is left out, and the section says so.

"""


def keep(sections: Iterable[Section], order: Sequence[str]) -> None:
    """Put sections in the place of those that were kept of the same measurements."""
    kept = {section.name: section for section in (*read(), *sections)}
    found = [kept[name].as_json() for name in order if name in kept]
    KEPT.write_text(json.dumps(found, indent=1) + "\n")


def read() -> list[Section]:
    """Return the sections that are kept."""
    return [Section.from_json(each) for each in json.loads(KEPT.read_text())] if KEPT.exists() else []


def text() -> str:
    """Return the page."""
    return HEAD + markdown(read())


def write() -> None:
    """Write the page."""
    PAGE.write_text(text())
