"""The measurements can be made, and the page of the documentation is what they have found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks import page
from benchmarks.results import Claim, Section, Table
from benchmarks.rounds import Rounds, Sample
from project.env import BASE_DIR
from project.postgres import database_url


def test_contestants_run_the_same_files(tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.run_files", "--files", "3", "--rounds", "1", "--json", found),
            *("--server", database_url("postgres"), "--contestants", "applysql", "psql", "psycopg"),
        ],
        cwd=BASE_DIR,
        check=True,
        capture_output=True,
    )
    section = Section.from_json(json.loads(found.read_text()))
    took = {row[0]: dict(zip(section.tables[0].columns, row, strict=True)) for row in section.tables[0].rows}
    assert [(name, each["connections"], each["of psql's"] is not None) for name, each in took.items()] == [
        ("applysql", 2, True),
        ("psql", 1, True),
        ("psycopg", 1, True),
    ]
    assert section.parameters == {"files": 3, "rounds": 1, "contestants": ["applysql", "psql", "psycopg"]}
    assert all(sample["wall"] > 0 and sample["client_cpu"] > 0 for [sample] in section.raw.values())


def test_ratios_are_taken_within_a_round() -> None:
    rounds = Rounds(
        {
            "ours": [
                Sample(wall=2.0, client_cpu=0.5),
                Sample(wall=30.0, client_cpu=0.5),
                Sample(wall=9.0, client_cpu=1),
            ],
            "theirs": [
                Sample(wall=1.0, client_cpu=0.5),
                Sample(wall=10.0, client_cpu=1),
                Sample(wall=9.0, client_cpu=1),
            ],
        }
    )
    assert rounds.median("ours", lambda sample: sample.wall) == 9.0
    assert rounds.ratio("ours", "theirs", lambda sample: sample.wall) == 2.0
    assert rounds.difference("ours", "theirs", lambda sample: sample.wall) == 1.0
    assert rounds.ratio("ours", "theirs", lambda sample: sample.server_cpu) is None
    assert rounds.ratio("ours", "nobody", lambda sample: sample.wall) is None


def test_a_section_reads_as_it_was_kept_and_as_markdown() -> None:
    section = Section(
        name="one",
        title="One",
        about="About it.",
        parameters={"files": 3_000, "contestants": ["ours", "theirs"], "names": []},
        tables=(Table(("way", "wall, s", "connections"), (("ours", 1.234, 2), ("theirs", 1234.5, None))),),
        claims=(Claim("wall", 1.1, 1.0), Claim("memory", 20, 30.0, " MB"), Claim("flushes", 1, None)),
        notes=("A note.",),
        machine="Measured here.",
    )
    assert Section.from_json(json.loads(json.dumps(section.as_json()))) == section
    assert (
        "\n".join(section.lines())
        == """\
## One

About it.

| wanted | at most | measured | so |
| --- | --- | ---: | --- |
| wall | 1.1 | 1.00 | yes |
| memory | 20 MB | 30.00 | **no** |
| flushes | 1 |  | not measured |

| way | wall, s | connections |
| --- | ---: | ---: |
| ours | 1.23 | 2 |
| theirs | 1,234 |  |

A note.

Parameters: files 3,000; contestants ours, theirs.

Measured here.
"""
    )


def test_the_page_is_what_is_kept() -> None:
    assert page.PAGE.read_text() == page.text(), "type: python -m benchmarks --write"
