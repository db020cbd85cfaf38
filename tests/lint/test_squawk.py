"""squawk as a second source: its findings as ours, its absence as nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sqlmigrations.lint import squawk
from sqlmigrations.lint.base import Finding

#: What squawk 2.70 answers to the file below, cut to what is read.
ANSWER = [
    {"line": 0, "message": "Missing `IF NOT EXISTS`.", "help": None, "rule_name": "prefer-robust-stmts"},
    {"line": 1, "message": "Using `character` is likely a mistake.", "help": None, "rule_name": "ban-char-field"},
    {"line": 2, "message": "Using 32-bit integers.", "help": "Use 64-bit ones.", "rule_name": "prefer-bigint-over-int"},
]
FILE = "CREATE TABLE a (\n    b char(3),\n    c int\n);\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "001.sql"
    path.write_text(FILE)
    return path


def program(folder: Path, answer: str, code: int) -> str:
    """Write a program that answers so."""
    path = folder / "squawk"
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\nexit {code}\n")
    path.chmod(0o755)
    return str(path)


def short(found: list[Finding]) -> list[tuple[str, str, str, str]]:
    return [(one.where, one.rule.id, str(one.severity), one.rewrite) for one in found]


EXPECTED = [
    ("001.sql:2", "squawk-ban-char-field", "info", ""),
    ("001.sql:3", "squawk-prefer-bigint-over-int", "info", "Use 64-bit ones."),
]


def test_its_findings_are_notes_at_their_lines(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = json.dumps([{"file": str(file), **one} for one in ANSWER])
    path = program(file.parent, answer, 1)
    monkeypatch.setattr(squawk, "program", lambda: path)
    assert short(squawk.findings([("001.sql", file)], 180003)) == EXPECTED


@pytest.mark.parametrize(("answer", "code"), [("no such option", 2), ("not JSON", 1), ("[]", 0)])
def test_what_it_cannot_answer_is_nothing(file: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
    path = program(file.parent, answer, code)
    monkeypatch.setattr(squawk, "program", lambda: path)
    assert squawk.findings([("001.sql", file)], None) == []


def test_it_need_not_be_installed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(squawk, "program", lambda: None)
    assert squawk.findings([("001.sql", file)], 180003) == []


@pytest.mark.skipif(squawk.program() is None, reason='squawk is not installed: pip install "sqlmigrations[lint]"')
def test_the_program_itself(file: Path) -> None:
    found = [one.rule.id for one in squawk.findings([("001.sql", file)], 180003)]
    assert "squawk-ban-char-field" in found
    assert "squawk-prefer-robust-stmts" not in found
