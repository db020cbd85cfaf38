r"""Split every file of a folder and let servers and psql judge the pieces.

Usage: ``python benchmarks/split_corpus.py FOLDER [--dsn DSN] [--psql PROGRAM] [--verbose]``, with for example
PostgreSQL's own ``src/test/regress/sql`` as the folder (not part of this repository).

For each file: how many pieces, how many of them the server's parser refuses, and how many bytes are neither in a piece
nor white space, a comment, a lone semicolon or the data of COPY. With ``--psql`` each file is also fed to psql,
connected to a recorder that speaks just enough of the protocol, and the two lists of statements are compared token by
token.

What our files must not have is mended first, and counted, and psql reads the mended text too: backslash commands are
blanked out (those that send a query become a semicolon), a COPY that its author expects to fail and gave no data gets
an empty block, and text that is not UTF-8 is read as Windows-1252.
"""

from __future__ import annotations

import argparse
import io
import itertools
import re
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from sqlmigrations.exceptions import InvalidFile
from sqlmigrations.files.splitter import BLOCK, split
from sqlmigrations.files.tokens import block_comment_end, code

_GAP = re.compile(rb"\s+|;|--[^\r\n]*|/\*|\\\.\r?(?=\n|\Z)|\xef\xbb\xbf")
_SENDS = re.compile(rb"\\(?:g|gx|gset|gexec|gdesc|crosstabview|watch|bind\w*|parse|sendpipeline|;)(?![A-Za-z])")


@dataclass
class Report:
    """What was found in one file."""

    name: str
    pieces: list[bytes] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    several: list[tuple[int, str]] = field(default_factory=list)
    unaccounted: int = 0
    mended: int = 0
    error: str = ""
    differs: str = ""


def mend(text: bytes, name: str) -> tuple[bytes, int, str]:
    """Mend what our files must not have; return the text, how often, and the error that remains."""
    count = 0
    while True:
        try:
            for _ in split([text], name=name):
                pass
        except InvalidFile as error:
            if "is a command of psql" in error.message:
                text = _blank(text, error.problem.line, error.message.split(" ")[0].encode())
            elif "unterminated COPY block" in error.message:
                lines = text.split(b"\n")
                text = b"\n".join([*lines[: error.problem.line], rb"\.", *lines[error.problem.line :]])
            elif "not UTF-8" in error.message:
                text = text.decode("windows-1252").encode()
            else:
                return text, count, str(error)
            count += 1
        else:
            return text, count, ""


def _blank(text: bytes, line: int, command: bytes) -> bytes:
    lines = text.split(b"\n")
    found = lines[line - 1]
    start = found.index(command)
    sends = _SENDS.match(found, start)
    lines[line - 1] = found[:start] + (b";" if sends else b" ") + b" " * (len(found) - start - 1)
    return b"\n".join(lines)


def examine(path: Path, connection: psycopg.Connection, psql: str | None) -> Report:
    """Split one file and judge the pieces."""
    report = Report(path.name)
    text, report.mended, report.error = mend(path.read_bytes(), path.name)
    if report.error:
        return report
    end = 0
    for statement in split(_blocks(text), name=path.name):
        report.unaccounted += _unaccounted(text[end : statement.offset])
        end = statement.offset + len(statement.sql)
        if text[statement.offset : end] != statement.sql:
            report.unaccounted += len(statement.sql)
        if statement.data is not None:
            data = b"".join(statement.data)
            begin = text.index(b"\n", end) + 1
            if text[begin : begin + len(data)] != data:
                report.unaccounted += len(data)
            report.unaccounted += _unaccounted(text[end:begin])
            end = begin + len(data)
        report.pieces.append(statement.sql)
        verdict = judge(connection, statement.sql)
        if "multiple commands" in verdict:
            report.several.append((statement.line, verdict))
        elif verdict:
            report.refused.append((statement.line, verdict))
    report.unaccounted += _unaccounted(text[end:])
    if psql:
        report.differs = compare_with_psql(report.pieces, text, psql)
    return report


def _blocks(text: bytes) -> Iterator[bytes]:
    for start in range(0, len(text), BLOCK // 7):
        yield text[start : start + BLOCK // 7]


def _unaccounted(gap: bytes) -> int:
    """Return how many bytes of a gap are something else than may stand between statements."""
    position = lost = 0
    while position < len(gap):
        match = _GAP.match(gap, position)
        if match is None:
            lost += 1
            position += 1
        elif match.group() == b"/*":
            end = block_comment_end(gap, position, len(gap))
            position = end if end > 0 else len(gap)
        else:
            position = match.end()
    return lost


def judge(connection: psycopg.Connection, sql: bytes) -> str:
    """Return the server's syntax error, empty when its parser takes the text as one statement."""
    result = connection.pgconn.prepare(b"", sql, None)
    if result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) != b"42601":
        return ""
    message = (result.error_field(psycopg.pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode(errors="replace")
    syntax = ("syntax error", "unterminated", "trailing junk", "multiple commands", "invalid")
    return message if any(word in message for word in syntax) else ""


class Recorder(threading.Thread):
    """Take the part of a server towards psql: record each query, say yes to everything."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.queries: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def run(self) -> None:
        """Serve one connection."""
        connection, _ = self._listener.accept()
        with connection, connection.makefile("rwb") as stream:
            (length,) = struct.unpack("!i", stream.read(4))
            stream.read(length - 4)
            stream.write(_message(b"R", struct.pack("!i", 0)))
            for name, value in (
                ("server_version", "18.0"),
                ("client_encoding", "UTF8"),
                ("server_encoding", "UTF8"),
                ("standard_conforming_strings", "on"),
            ):
                stream.write(_message(b"S", name.encode() + b"\0" + value.encode() + b"\0"))
            self._ready(stream)
            while kind := stream.read(1):
                (length,) = struct.unpack("!i", stream.read(4))
                body = stream.read(length - 4)
                if kind == b"Q":
                    self._query(stream, body[:-1])
                elif kind in (b"c", b"f"):
                    stream.write(_message(b"C", b"COPY 0\0"))
                    self._ready(stream)
                elif kind == b"X":
                    return

    def _query(self, stream: io.BufferedRWPair, sql: bytes) -> None:
        self.queries.append(sql)
        words = [token.word for token in code(sql) if token.word]
        if words[:1] == ["COPY"] and any(
            pair in itertools.pairwise(words) for pair in (("FROM", "STDIN"), ("FROM", "STDOUT"))
        ):
            stream.write(_message(b"G", struct.pack("!bh", 0, 0)))
            stream.flush()
            return
        stream.write(
            _message(
                b"I" if not words and not sql.strip(b"; \n") else b"C",
                b"" if not words and not sql.strip(b"; \n") else b"OK\0",
            )
        )
        self._ready(stream)

    @staticmethod
    def _ready(stream: io.BufferedRWPair) -> None:
        stream.write(_message(b"Z", b"I"))
        stream.flush()


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def compare_with_psql(pieces: list[bytes], text: bytes, psql: str) -> str:
    """Return the first difference between our pieces and what psql sends, empty when there is none."""
    recorder = Recorder()
    recorder.start()
    subprocess.run(  # noqa: S603  the program that the caller named
        [psql, "-X", "-q", "-h", "127.0.0.1", "-p", str(recorder.port), "-U", "x", "sslmode=disable dbname=x"],
        input=text,
        capture_output=True,
        check=False,
        timeout=300,
    )
    recorder.join(10)
    ours = [_tokens(piece) for piece in pieces]
    theirs = [tokens for query in recorder.queries if (tokens := _tokens(query))]
    for our, their in zip(ours, theirs, strict=False):
        if our != their:
            return f"ours {b' '.join(our)[:150]!r} psql {b' '.join(their)[:150]!r}"
    return "" if len(ours) == len(theirs) else f"{len(ours)} pieces, psql sends {len(theirs)}"


def _tokens(sql: bytes) -> list[bytes]:
    found = [token.text for token in code(sql)]
    while found and found[-1] == b";":
        found.pop()
    return found


def main() -> int:
    """Print one line for each file and a summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dsn", default="")
    parser.add_argument("--psql", help="a psql program to compare with")
    parser.add_argument("--verbose", action="store_true", help="show each refused piece")
    options = parser.parse_args()
    reports = []
    with psycopg.connect(options.dsn, autocommit=True) as connection:
        for path in sorted(options.folder.rglob("*.sql")):
            report = examine(path, connection, options.psql)
            reports.append(report)
            print(
                f"{report.name:32} pieces {len(report.pieces):5} refused {len(report.refused):4} "
                f"several {len(report.several):3} unaccounted {report.unaccounted:4} mended {report.mended:4} "
                f"{report.error.splitlines()[0] if report.error else ''}{report.differs}"
            )
            for line, verdict in report.several + (report.refused if options.verbose else []):
                print(f"    {report.name}:{line}: {verdict}")
    print(
        f"{len(reports)} files, {sum(len(report.pieces) for report in reports)} pieces, "
        f"{sum(len(report.refused) for report in reports)} refused, "
        f"{sum(len(report.several) for report in reports)} taken for several statements, "
        f"{sum(report.unaccounted for report in reports)} bytes unaccounted, "
        f"{sum(bool(report.error) for report in reports)} unreadable, "
        f"{sum(bool(report.differs) for report in reports)} unlike psql"
    )
    return int(any(report.several or report.unaccounted or report.error or report.differs for report in reports))


if __name__ == "__main__":
    sys.exit(main())
