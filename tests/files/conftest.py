"""Fixtures of this room: the server's own parser, and files to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connections

from sqlmigrations.files.scripts import Script, SQLFile

#: Ask the server's parser: the answer is its error, or empty when the text is one statement.
Parser = Callable[[bytes], str]
Write = Callable[..., SQLFile]


@pytest.fixture(scope="session")
def server() -> Iterator[psycopg.Connection]:
    """Connect to the server, outside any test database: nothing is executed that would need one."""
    parameters = connections["default"].settings_dict
    with psycopg.connect(
        host=parameters["HOST"],
        port=parameters["PORT"] or None,
        user=parameters["USER"] or None,
        password=parameters["PASSWORD"] or None,
        dbname="postgres",
        autocommit=True,
    ) as connection:
        yield connection


@pytest.fixture(scope="session")
def server_parser(server: psycopg.Connection) -> Parser:
    """Return a function that has the server parse a text as one statement, without running it."""

    def parse(sql: bytes) -> str:
        result = server.pgconn.prepare(b"", sql, None)
        state = result.error_field(psycopg.pq.DiagnosticField.SQLSTATE)
        message = result.error_field(psycopg.pq.DiagnosticField.MESSAGE_PRIMARY) or b""
        return message.decode() if state == b"42601" else ""

    return parse


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a SQL file and returns it; companions by keyword: ``down``, ``verify``."""

    def make(content: str | bytes, name: str = "001_test.sql", **companions: str) -> SQLFile:
        scripts = {}
        for kind, text in {"": content, **companions}.items():
            file = name.removesuffix(".sql") + (f".{kind}.sql" if kind else ".sql")
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode() if isinstance(text, str) else text)
            scripts[kind] = Script(file, path)
        return SQLFile(name, scripts[""].path, down=scripts.get("down"), verify=scripts.get("verify"))

    return make
