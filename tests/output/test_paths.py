"""Tests of how paths are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlmigrations.output.paths import short


def test_what_lies_below_is_seen_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert short(tmp_path / "sql" / "001.sql") == "sql/001.sql"
    assert short("sql/001.sql") == "sql/001.sql"


def test_what_lies_elsewhere_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert short(tmp_path / "001.sql") == str(tmp_path / "001.sql")
