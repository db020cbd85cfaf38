"""The splitter on generated text: compared with the server's parser, and with a slow splitter."""

from __future__ import annotations

import re
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sqlmigrations.exceptions import InvalidFile
from sqlmigrations.files import window
from sqlmigrations.files.glance import is_plain
from sqlmigrations.files.splitter import Splitter, split
from sqlmigrations.files.tokens import block_comment_end, tokens
from tests.files import reference
from tests.files.conftest import Parser

usual = settings(max_examples=1_000)
quick = settings(max_examples=500)
nightly = settings(max_examples=20_000)

# Valid SQL of nasty parts

tags = st.sampled_from(["", "a", "A", "_1", "é", "body"])
odd = [*"';$\"()-/*\\ \n\rEe", "--", "/*", "*/", "$a$", "é", "😀", "END", "BEGIN ATOMIC", "\\.\n"]
inner = st.lists(st.sampled_from(odd), max_size=6).map("".join)


@st.composite
def dollar_quoted(draw: st.DrawFn) -> str:
    delimiter = f"${draw(tags)}$"
    content = draw(inner)
    # The delimiter must not come about within the content, nor together with its end.
    return f"{delimiter}{content if delimiter not in content + delimiter[:-1] else ''}{delimiter}"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def escaped(text: str) -> str:
    return "E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


constants: st.SearchStrategy[str] = st.one_of(
    inner.map(quoted),
    inner.map(escaped),
    dollar_quoted(),
    inner.filter(lambda text: "\\" not in text).map(lambda text: "U&" + quoted(text)),
    st.sampled_from(["B'01'", "X'1F'", "n'a;'", "E'a'\n'\\';'", "E'a' -- '\n  '\\';'", "'a'\n';'"]),
    st.sampled_from(["1", "1.5", ".5", "1e5"]),
    st.sampled_from(["a.end", "t.begin", "$1", "a$b$c", "é$1", '";"', '"a"";"', 'U&"\\0061;"', "current_date"]),
)  # fmt: skip
blanks = st.sampled_from(
    [" ", "\n", "\t", "\r\n", "\r", "/* ; */", "/* /* ' */ ; */", "-- ;'\n", "--\r", " /*/ ; /**/ */ ", "/***/"]
)
operators = st.sampled_from(["+", "- ", "*", "/ ", "||", "@@", "<->", "->>", "= ANY", "~*"])


@st.composite
def expression(draw: st.DrawFn, depth: int = 2) -> str:
    kind = draw(st.integers(0, 7 if depth else 1))
    inside = expression(depth - 1) if depth else constants
    match kind:
        case 2:
            return f"({draw(inside)})"
        case 3:
            return f"{draw(inside)}{draw(blanks)}{draw(operators)}{draw(blanks)}({draw(inside)})"
        case 4:
            return f"CASE WHEN {draw(inside)} THEN {draw(inside)}{draw(blanks)}END"
        case 5:
            return f"f({draw(inside)},{draw(inside)})"
        case 6:
            return f"ARRAY[{draw(inside)}]"
        case 7:
            return f"({draw(inside)})::text"
        case _:
            return draw(constants)


@st.composite
def query(draw: st.DrawFn) -> str:
    columns = draw(st.lists(expression(), min_size=1, max_size=2))
    names = st.sampled_from(["", " AS end", ' AS ";"', " AS begin", " atomic", " AS é$1"])
    return f"SELECT{draw(blanks)}" + ",".join(column + draw(names) for column in columns)


@st.composite
def statement(draw: st.DrawFn, depth: int = 1) -> str:
    gap = draw(blanks)
    match draw(st.integers(0, 7)):
        case 0:
            body = ";".join(draw(st.lists(query(), max_size=2)))
            return f"CREATE{gap}OR REPLACE{gap}FUNCTION f(begin int) RETURNS int BEGIN{gap}ATOMIC{gap}{body}" + (
                f"{gap};{gap}END" if body else " END"
            )
        case 1 if depth:
            body = draw(statement(depth - 1))
            return f"CREATE{gap}PROCEDURE p() BEGIN{gap}ATOMIC{gap}{body};{gap};{gap}END"
        case 2:
            return f"CREATE FUNCTION f() RETURNS int{gap}LANGUAGE sql AS{gap}{draw(dollar_quoted())}"
        case 3:
            return f"DO{gap}{draw(dollar_quoted())}"
        case 4:
            return f"CREATE RULE r AS ON INSERT TO t{gap}DO ALSO ({draw(query())};{gap}{draw(query())})"
        case 5:
            return f"COMMENT ON TABLE t IS{gap}{draw(inner.map(quoted))}"
        case 6:
            return f'CREATE TABLE t (a text DEFAULT ({draw(expression())}),{gap}"b;" int)'
        case _:
            return f"CREATE VIEW v AS{gap}{draw(query())}"


@st.composite
def script(draw: st.DrawFn) -> tuple[list[str], str]:
    """Draw statements, and a text of them with gaps between."""
    statements = draw(st.lists(statement(), min_size=1, max_size=3))
    gaps = st.lists(st.one_of(blanks, st.just(";")), max_size=3).map("".join)
    text = draw(gaps) + "".join(piece + draw(blanks) + ";" + draw(gaps) for piece in statements)
    return statements, text


def check_against_server(drawn: tuple[list[str], str], block: int, server_parser: Parser) -> None:
    statements, text = drawn
    content = text.encode()
    found = divided(content, block)
    assert len(found) == len(statements)
    end = 0
    for (offset, sql), written in zip(found, statements, strict=True):
        assert sql.decode().startswith(written)
        assert is_gap(content[end:offset])
        end = offset + len(sql)
        assert content[offset:end] == sql
        assert server_parser(sql) == ""
    assert is_gap(content[end:])


def divided(content: bytes, block: int) -> list[tuple[int, bytes]]:
    """Split a text that arrives in small blocks."""
    with patch.object(window, "BLOCK", block):
        blocks = (content[start : start + block] for start in range(0, len(content), block))
        return [(statement.offset, statement.sql) for statement in split(blocks)]


def is_gap(between: bytes) -> bool:
    """Say whether nothing but white space, comments and semicolons is left."""
    position = 0
    while position < len(between):
        if between[position : position + 2] == b"/*":
            position = block_comment_end(between, position, len(between))
            if position < 0:
                return False
        elif match := re.compile(rb"[\s;]+|--[^\r\n]*").match(between, position):
            position = match.end()
        else:
            return False
    return True


@usual
@given(script(), st.integers(1, 40))
def test_the_server_reads_the_same_statements(server_parser: Parser, drawn: tuple[list[str], str], block: int) -> None:
    """Each piece is one statement to the server, and the pieces and gaps are the whole text."""
    check_against_server(drawn, block, server_parser)


@pytest.mark.nightly
@nightly
@given(script(), st.integers(1, 40))
def test_the_server_reads_the_same_statements_at_length(
    server_parser: Parser, drawn: tuple[list[str], str], block: int
) -> None:
    """The same, ten times as often."""
    check_against_server(drawn, block, server_parser)


# Text that need not be SQL

FRAGMENTS = [
    "'", "''", '"', '""', "E'", "e'", "U&'", "\\", "$", "$$", "$a$", "$é$", "$a", "$1", "--", "-", "/*", "*/", "/", "*",
    "+", "\n", "\r", " ", "\t", ";", "(", ")", "a", "e", "E", "é", "_", "1", "1.5", "::", ".", ",", "BEGIN", "ATOMIC",
    " begin atomic ", " END ", "end;", "CASE ", "CREATE FUNCTION f() ", "CREATE OR REPLACE PROCEDURE p() ", "SELECT ",
    "create ", "function ",
]  # fmt: skip
soup = st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join)


def check_against_reference(text: str, block: int) -> None:
    expected = reference.split(text)
    with patch.object(window, "BLOCK", block):
        content = text.encode()
        blocks = (content[start : start + block] for start in range(0, len(content), block))
        pieces: list[str] = []
        error = ""
        try:
            for piece in split(blocks):
                pieces.append(piece.text)
        except InvalidFile as raised:
            message = raised.problem.message
            error = "command" if "psql" in message else message.removeprefix("unterminated ")
            error = "dollar quote" if error.startswith("dollar quote") else error
    assert (pieces, error) == (expected.pieces, expected.error)


@usual
@given(soup, st.integers(1, 30))
@example("$a$;$a$$b$;$b$;", 7)
@example("E'a'\n'b\\';';", 1)
@example("CREATE FUNCTION f() begin/**/atomic a;(b);END;c", 3)
def test_the_reference_reads_the_same(text: str, block: int) -> None:
    """Any text whatever is split as the slow splitter does, or refused for the same reason."""
    check_against_reference(text, block)


@pytest.mark.nightly
@nightly
@given(soup, st.integers(1, 30))
def test_the_reference_reads_the_same_at_length(text: str, block: int) -> None:
    """The same, ten times as often."""
    check_against_reference(text, block)


# Data of COPY

rows = st.lists(
    st.sampled_from(["1\ta", "", "\\.", "x\\.", "\\.x", "\\\\.", "é", "'", ";", "\\", "\r", "\\.\r"]), max_size=8
)


@quick
@given(rows, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.integers(1, 12))
def test_copy_data(lines: list[str], newline: str, final: bool, block: int) -> None:
    """The data ends before the first line that is the end mark and nothing else, however it arrives."""
    text = "".join(line + newline for line in [*lines, "\\."]) + "SELECT 1;"
    if not final:
        text = text.removesuffix(newline + "SELECT 1;")
    data: list[str] = []
    for line in text.splitlines(keepends=True) if "\r" not in "".join(lines) else re.findall(r"[^\n]*\n|[^\n]+$", text):
        if line in ("\\.", "\\.\n", "\\.\r\n", "\\.\r") and (line.endswith("\n") or text.endswith(line)):
            break
        data.append(line)
    content = ("COPY t FROM stdin;\n" + text).encode()
    with patch.object(window, "BLOCK", block):
        splitter = split(content[start : start + block] for start in range(0, len(content), block))
        copy = next(splitter)
        assert copy.data is not None
        assert b"".join(copy.data).decode() == "".join(data)


# At a glance

openings = [
    "-- sqlmigrations: tags a\n",
    "-- +goose Down\n",
    "-- x\n",
    "\\c\n",
    "/*",
    "*/",
    "--",
    "\n",
    ";",
    "é",
    "\0",
    "SELECT 1",
]


@quick
@given(st.lists(st.sampled_from(openings), max_size=5).map("".join))
def test_what_looks_plain_has_nothing_to_say(text: str) -> None:
    """A text that is judged at a glance has no directives, and nothing that is refused before its first statement."""
    splitter = Splitter([text.encode()])
    if is_plain(text.encode()):
        splitter.skip_gap()
        assert splitter.directives == []


# Tokens


@quick
@given(soup)
def test_tokens_leave_nothing_out(text: str) -> None:
    """Tokens and the white space between them are the whole text."""
    content = text.encode()
    end = 0
    for token in tokens(content):
        assert not content[end : token.start].strip(b" \t\n\r\f\v")
        end = token.start + len(token.text)
        assert content[token.start : end] == token.text
    assert not content[end:].strip(b" \t\n\r\f\v")
