"""Tests that pages say what happens when one does what they tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from project.env import BASE_DIR
from tests.docs.scenes import SCENES, walk
from tests.docs.walk import Command, File, Meanwhile, commands, differences, steps


@pytest.mark.processes
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.nightly if scene.nightly else ()) for name, scene in SCENES.items()]
)
def test_a_page_says_what_happens(name: str, tmp_path: Path) -> None:
    """Write it anew, and read it: ``python -m tests.docs.rewrite NAME``."""
    with walk(BASE_DIR / name, tmp_path) as reader:
        said = reader.page(BASE_DIR / name)
    assert said
    assert differences(said) == []


@pytest.mark.parametrize("name", SCENES)
def test_no_page_shows_a_slip_of_its_own(name: str) -> None:
    """What was written anew without being read."""
    told = [command.said for command in commands((BASE_DIR / name).read_text(encoding="utf-8"))]
    slips = ("SystemCheckError", "Traceback", "usage: ", "command not found", "No such file", "psql: error")
    assert [said for said in told if any(slip in said for slip in slips)] == []


@pytest.mark.parametrize("name", ["docs/tutorial.md", "docs/existing-database.md"])
def test_a_tutorial_takes_less_than_twenty_commands(name: str) -> None:
    told = [command.line for command in commands((BASE_DIR / name).read_text(encoding="utf-8"))]
    assert len(told) < 20
    assert told[-1] == "python manage.py validateschema"


def test_steps_are_files_and_commands() -> None:
    page = """
```console
$ first
said
  more
$ second
```

```sql title="a/b.sql"
SELECT 1;
```

```sql
-- only to be read
```

<!-- run: hidden -->

<!-- file: c.sql
SELECT 2;
-->

<!-- meanwhile: site in shop: SELECT 3 -->

<!-- stop: SIGTERM while SELECT 2 -->

```console
$ third
```
"""
    assert [(step.line, step.said, step.stop) if isinstance(step, Command) else step for step in steps(page)] == [
        ("first", "said\n  more\n", ""),
        ("second", "", ""),
        File("a/b.sql", "SELECT 1;\n"),
        ("hidden", "", ""),
        File("c.sql", "SELECT 2;\n"),
        Meanwhile("site in shop: SELECT 3"),
        ("third", "", "SIGTERM while SELECT 2"),
    ]
    assert [command.line for command in commands(page)] == ["first", "second", "third"]
    assert [page[command.start : command.end] for command in commands(page)] == ["said\n  more\n", "", ""]
