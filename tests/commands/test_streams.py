"""What a command writes where the terminal or the log can't show every character."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers import Ran, put, started, states

FILES = {"001.sql": 'SELECT „x“ AS "日本";', "002.sql": "CREATE TABLE t (id int);"}
WORDS = r"""Running SQL files:
  Applying 001.sql... FAILED (<time>, 0 statements)
    001.sql:1: column "„x“" does not exist [42703]
    1 | SELECT „x“ AS "日本";
      |        ^
  Applying 002.sql... OK (<time>, 1 statement)
  1 applied, 1 failed.
Head of the history: <hash>
"""


@pytest.mark.processes
def test_a_run_goes_on_where_its_words_cannot_be_shown(ready_database: str, folder: Path) -> None:
    put(folder, FILES)
    with started(folder, PYTHONIOENCODING="ascii") as process:
        ran = process.end()
    assert ran == Ran(WORDS.encode("ascii", errors="backslashreplace").decode(), "", 1)
    assert states() == {"001.sql": "failed", "002.sql": "applied"}


@pytest.mark.processes
def test_a_document_is_utf_8_whatever_the_terminal_is(ready_database: str, folder: Path) -> None:
    put(folder, FILES)
    with started(folder, "--format", "json", PYTHONIOENCODING="latin-1") as process:
        ran = process.end()
    assert ran.code == 1
    assert r'"message": "column \"„x“\" does not exist"' in ran.out
