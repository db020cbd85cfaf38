"""The splitter: where statements end, as the server reads them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sqlmigrations.exceptions import InvalidFile
from sqlmigrations.files.splitter import BLOCK, Splitter, split
from sqlmigrations.files.statements import Statement
from tests.files.conftest import Parser

# Each text is a list of pieces; what stands between them is in no piece.
STATEMENTS: dict[str, list[str]] = {
    "two statements": ["SELECT 1;", " \n", "SELECT 2;"],
    "no semicolon at the end": ["SELECT 1;", "\n", "SELECT 2", "\n"],
    "lone semicolons": ["", " ;;\n; ", "SELECT 1;", ";"],
    "a quoted semicolon": ["SELECT 'a;b';", "", "SELECT 1;"],
    "doubled quotes": ["SELECT 'it''s;', '''', '';", "", "SELECT 1;"],
    "a backslash is nothing special": [r"SELECT 'a\';", "", "SELECT ';';"],
    "escape string": [r"SELECT E'a\';b', e'\\';", "", "SELECT 1;"],
    "escape string with doubled quote": [r"SELECT E'a'';\';';", "", "SELECT 1;"],
    "escape string goes on in the next line": ["SELECT E'a'\n'b\\';';", "", "SELECT 1;"],
    "escape string goes on after comments": ["SELECT E'a' -- x\n  -- y\r'b\\';';", "", "SELECT 1;"],
    "escape string after a comment is another string": ["SELECT E'a' /* x\n */ 'b\\';", "", "SELECT ';';"],
    "escape string on one line is another string": ["SELECT E'a' 'b\\';", "", "SELECT ';';"],
    "a word that ends with e": [r"SELECT date'2020-01-01\';", "", "SELECT ';';"],
    "a word that ends with e, within parentheses": [r"SELECT (date'\', ');');", "", "SELECT (date'', ';');"],
    "a word with a digit and e": [r"SELECT _1e'\';", "", "SELECT ';';"],
    "e within a word in parentheses": [r"SELECT (type'\');", "", "SELECT 1;"],
    "unicode string": [r"SELECT U&'d\0061t\+000061;\''';", "", "SELECT 1;"],
    "unicode identifier": ['SELECT U&"d\\0061;" FROM t;', "", "SELECT 1;"],
    "bit, hex and national strings": ["SELECT B'01', X'1F', N';', b'', x';';", "", "SELECT 1;"],
    "string over lines": ["SELECT 'a\n;\n\n'\n';b';", "", "SELECT 1;"],
    "quoted identifier": ['SELECT ";" AS "a"";b";', "", "SELECT 1;"],
    "quotes in each other": ["""SELECT '";', "';";""", "", "SELECT 1;"],
    "dollar quote": ["SELECT $$;'$$;", "", "SELECT 1;"],
    "tagged dollar quote": ["SELECT $a$ $b$ ; $$ ; $a;$ $a$;", "", "SELECT 1;"],
    "nested dollar quotes": ["SELECT $a$ $b$ ; $b$ ; $a$;", "", "SELECT 1;"],
    "dollar tag of letters beyond ASCII": ["SELECT $é_1$;$é_1$;", "", "SELECT 1;"],
    "dollar tags know case": ["SELECT $A$;$a$;$A$;", "", "SELECT 1;"],
    "the end of a dollar quote after another dollar": ["SELECT $a$;$b$a$;", "", "SELECT 1;"],
    "dollar within a word": ["SELECT a$b$c, b$d$c FROM t$1$;", "", "SELECT 1;"],
    "dollar within a word after a digit": ["SELECT a1$b$c FROM t;", "", "SELECT $b$;$b$;"],
    "dollar within a word beyond ASCII": ["SELECT é$b$c FROM t;", "", "SELECT $b$;$b$;"],
    "parameters are no quotes": ["PREPARE p AS SELECT $1, $2;", "", "SELECT 1;"],
    "parameter before a quote": ["PREPARE p AS SELECT $1$a$;$a$;", "", "SELECT 1;"],
    "number before a dollar quote": ["SELECT 1$a$;$a$;", "", "SELECT 1;"],
    "dollar quote beside a dollar quote": ["SELECT $a$;$a$$b$;$b$;", "", "SELECT 1;"],
    "word after a dollar quote": ["SELECT $a$;$a$b$c$;", "", "SELECT 1;"],
    "line comment": ["SELECT 1 -- ;'\n;", "", "SELECT 2;"],
    "line comment ends with a carriage return": ["SELECT 1 -- '\r;", "", "SELECT 2;"],
    "line comment at the end of the file": ["SELECT 1;", " -- '"],
    "block comment": ["SELECT 1 /* ; ' */;", "", "SELECT 2;"],
    "nested block comments": ["SELECT 1 /* /* ; */ ' /**/ ; */;", "", "SELECT 2;"],
    "comment that opens like it closes": ["SELECT 1 /*/ ; /* */ */;", "/*;*/", "SELECT 2;"],
    "comment of stars": ["SELECT 1 /***;***/;", "", "SELECT 2;"],
    "comments between statements": ["", "-- a;\n/* b; /* ; */ */ ", "SELECT 1;", "-- c;"],
    "operator with a comment in it": ["SELECT 1 +-- ;\n 2;", "", "SELECT 2 */* ; */ 3;"],
    "minus signs that are no comment": ["SELECT 1 - -1 -(-2);", "", "SELECT a->'b'->>'c;' FROM t;"],
    "operators of stars and slashes": ["SELECT 6 / 3, a @*@ b, |/ 25 FROM t;", "", "SELECT 2 * 3;"],
    "parentheses": ["CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2);", "", "SELECT 1;"],
    "many parentheses": ["SELECT ((((((((1))))))), ((2), (3)), ';');", "", "SELECT 1;"],
    "parentheses in quotes": ["SELECT '(', \"(\", $$($$;", "", "SELECT ')';"],
    "closed more often than opened": ["SELECT 1);", "", "SELECT 2;"],
    "brackets and casts": ["SELECT a[1:2], '{}'::int[], b::text FROM t;", "", "SELECT 1;"],
    "begin atomic": [
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;",
        "\n",
        "SELECT 1;",
    ],
    "begin atomic with case": [
        "CREATE OR REPLACE FUNCTION f() RETURNS int\nBEGIN /* ; */ ATOMIC\n SELECT CASE WHEN true THEN 1 END;"
        " SELECT CASE 1 WHEN 2 THEN CASE WHEN false THEN 3 END END; END;",
        "",
        "SELECT 1;",
    ],
    "begin atomic with names like keywords": [
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT t.end, 1 AS end, begin, atomic, case_, pending FROM t;"
        " SELECT begin atomic FROM t; END;",
        "",
        "SELECT 1;",
    ],
    "begin atomic with nothing in it": ["CREATE PROCEDURE p() BEGIN ATOMIC END;", "", "SELECT 1;"],
    "begin atomic with empty statements": ["CREATE PROCEDURE p() BEGIN ATOMIC ; ; SELECT 1; ; END;", "", "SELECT 1;"],
    "begin atomic in lower case": ["create procedure p() begin atomic insert into t values (1); end;", "", "SELECT 1;"],
    "begin atomic within begin atomic": [
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC CREATE FUNCTION g() RETURNS int BEGIN ATOMIC SELECT 1; END;"
        " SELECT 1; END;",
        "",
        "SELECT 1;",
    ],
    "begin atomic far behind comments": [
        "CREATE /* ; */ -- ;\n" + "/* " + ";" * 5000 + " */ OR REPLACE FUNCTION f() RETURNS int"
        " BEGIN -- ;\n ATOMIC SELECT 1; END;",
        "",
        "SELECT 1;",
    ],
    "a short statement that begins like a function": ["CREATE;", "", "COMMIT;", "", "CREATE FUNCTION;"],
    "a function, its words divided by white space": [
        "CREATE\tFUNCTION f() BEGIN ATOMIC ; END;",
        "",
        "create\f\vor\nrePLACE\rprocedure p() BEGIN ATOMIC ; END;",
    ],
    "a function, its words divided by comments": [
        "CREATE/**/FUNCTION f() BEGIN ATOMIC ; END;",
        "",
        "CREATE OR/**/REPLACE FUNCTION/**/f() BEGIN ATOMIC ; END;",
        "",
        "CREATE--\nPROCEDURE p() BEGIN ATOMIC ; END;",
    ],
    "a word like function": ["CREATE VIEW function BEGIN ATOMIC;", "", "create functions BEGIN ATOMIC;"],
    "a word like create": ["CREATEX FUNCTION f() BEGIN ATOMIC;", "", "CREATE$ FUNCTION f() BEGIN ATOMIC;"],
    "parameters called begin and atomic": [
        "CREATE FUNCTION f(begin int, atomic int) RETURNS int LANGUAGE sql AS 'SELECT 1';",
        "",
        "SELECT 1;",
    ],
    "a function called begin": ["CREATE FUNCTION begin() RETURNS int LANGUAGE sql AS 'SELECT 1;';", "", "SELECT 1;"],
    "a function called atomic": ["CREATE FUNCTION begin.atomic() RETURNS int RETURN 1;", "", "SELECT 1;"],
    "a quoted function called begin": [
        'CREATE FUNCTION "begin"() RETURNS int RETURN CASE WHEN true THEN 1 END;',
        "",
        "SELECT 1;",
    ],
    "a table with columns begin and atomic": ["SELECT begin atomic FROM t;", "", "SELECT 1;"],
    "a comment about begin atomic": ["CREATE TABLE t (a int /* BEGIN ATOMIC */);", "", "SELECT 1;"],
    "return in a function": ["CREATE FUNCTION f(a int) RETURNS int RETURN a + 1;", "", "SELECT 1;"],
    "body in a dollar quote": [
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $f$ BEGIN RETURN 1; END; $f$;",
        "",
        "SELECT 1;",
    ],
    "carriage returns": ["SELECT\r\n1;", "\r\n", "SELECT 2;", "\r\n"],
    "white space of all kinds": ["SELECT 1;", "\f\t \r\n", "SELECT\f\t2;"],
    "characters beyond ASCII": ["SELECT 'é;€😀' AS ñ;", " ", "SELECT 'ü';"],
    "nothing": [""],
    "only comments": ["", "-- a;\n/* ; */\n"],
    "only a semicolon": ["", ";"],
}


def pieces(text: bytes, block: int = BLOCK) -> list[Statement]:
    """Split a text that arrives in blocks of a given size."""
    return list(split(blocks(text, block)))


def blocks(text: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


def expected(parts: list[str]) -> list[bytes]:
    return [part.encode() for part in parts[::2] if part]


@pytest.mark.parametrize("parts", STATEMENTS.values(), ids=STATEMENTS.keys())
@pytest.mark.parametrize("block", [BLOCK, 1, 2, 7])
def test_statements(parts: list[str], block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements end where they should, however the text arrives."""
    monkeypatch.setattr("sqlmigrations.files.window.BLOCK", block)
    text = "".join(parts).encode()
    assert [statement.sql for statement in pieces(text, block)] == expected(parts)


@pytest.mark.parametrize("parts", STATEMENTS.values(), ids=STATEMENTS.keys())
def test_the_server_takes_each_piece_for_one_statement(parts: list[str], server_parser: Parser) -> None:
    """What the server refuses as several statements would have been split wrongly."""
    for statement in pieces("".join(parts).encode()):
        assert "multiple commands" not in server_parser(statement.sql)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT 1; SELECT 2;", "cannot insert multiple commands into a prepared statement"),
        ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END; END;", 'syntax error at or near "END"'),
        ("SELECT 1;", ""),
    ],
)
def test_the_server_can_tell(sql: str, message: str, server_parser: Parser) -> None:
    """The judge that the tests rely on sees the difference."""
    if "ATOMIC" in sql:
        assert server_parser(sql.encode()) in (message, "cannot insert multiple commands into a prepared statement")
    else:
        assert server_parser(sql.encode()) == message


def test_places() -> None:
    """Each statement knows its number, its byte and its line."""
    text = "\n-- é\nSELECT 'é';\n\nSELECT\n2; SELECT 3".encode()
    found = pieces(text)
    assert [(s.number, s.offset, s.line) for s in found] == [(1, 7, 3), (2, 21, 5), (3, 31, 6)]
    for statement in found:
        assert text[statement.offset :].startswith(statement.sql)


def test_places_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """They stay right when the window has moved on, in the middle of characters too."""
    monkeypatch.setattr("sqlmigrations.files.window.BLOCK", 16)
    text = "".join(f"-- número {n}\nINSERT INTO t VALUES ('é{n}',\n {n});\n" for n in range(200)).encode()
    found = pieces(text, 11)
    assert len(found) == 200
    assert [s.line for s in found] == list(range(2, 602, 3))
    for statement in found:
        assert text[statement.offset :].startswith(statement.sql)


def test_keywords() -> None:
    """The leading words stand in upper case, without what is quoted or in parentheses."""
    sql = b'create /* x */ unique INDEX "If" on only s.t (a, b) -- c\n where d and e and f and g;'
    assert pieces(sql)[0].keywords == ("CREATE", "UNIQUE", "INDEX", "ON", "ONLY", "S", "T", "WHERE")
    assert pieces(b"(SELECT 1);")[0].keywords == ()
    assert pieces("UPDATE t SET a = ((1), ')'), (2) RETURNING é".encode())[0].keywords == (
        "UPDATE", "T", "SET", "A", "RETURNING", "É",
    )  # fmt: skip
    assert pieces(b"UPDATE t SET a = (E'\\'', ((((1))))) RETURNING a")[0].keywords == ("UPDATE", "T", "SET", "A")
    assert pieces(b"INSERT INTO t (a) VALUES (1)")[0].keywords == ("INSERT", "INTO", "T")
    long = b"INSERT INTO t VALUES " + b",".join(b"(1, 'x')" for _ in range(5000)) + b" RETURNING a"
    assert pieces(long)[0].keywords == ("INSERT", "INTO", "T", "VALUES")


def test_byte_order_mark() -> None:
    """It belongs to no statement, and counts in the offsets."""
    statement = pieces(b"\xef\xbb\xbfSELECT 1;")[0]
    assert (statement.sql, statement.offset, statement.line) == (b"SELECT 1;", 3, 1)
    assert pieces(b"\xef\xbb\xbf") == []


# COPY

COPY = b"COPY t (a, b) FROM stdin;\n1\tone\n2\ttwo\\.\n\\N\t\\\\.\n\\.\nSELECT 1;\n"


@pytest.mark.parametrize("block", [BLOCK, 1, 3, 10])
def test_copy(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data goes up to the line that holds only the end mark."""
    monkeypatch.setattr("sqlmigrations.files.window.BLOCK", block)
    splitter = split(blocks(COPY, block))
    copy = next(splitter)
    assert (copy.sql, copy.data_line) == (b"COPY t (a, b) FROM stdin;", 2)
    assert copy.data is not None
    assert b"".join(copy.data) == b"1\tone\n2\ttwo\\.\n\\N\t\\\\.\n"
    after = next(splitter)
    assert (after.sql, after.line, after.offset) == (b"SELECT 1;", 6, COPY.index(b"SELECT"))


def test_copy_whose_data_nobody_takes() -> None:
    """The data is skipped when the next statement is asked for, as with itertools.groupby."""
    assert [statement.sql for statement in split([COPY])] == [b"COPY t (a, b) FROM stdin;", b"SELECT 1;"]


def test_copy_whose_data_somebody_takes_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left of it is skipped."""
    monkeypatch.setattr("sqlmigrations.files.window.BLOCK", 4)
    splitter = split(blocks(COPY, 4))
    copy = next(splitter)
    assert copy.data is not None
    next(copy.data)
    assert next(splitter).sql == b"SELECT 1;"


@pytest.mark.parametrize(
    ("text", "data", "rest"),
    [
        (b"COPY t FROM stdin;\n\\.\n", b"", []),
        (b"COPY t FROM stdin;\n\\.", b"", []),
        (b"COPY t FROM stdin;\r\n1\r\n\\.\r\nSELECT 1", b"1\r\n", [b"SELECT 1"]),
        (b"COPY t FROM stdin;\n1\n\\.\r", b"1\n", []),
        (b'COPY t FROM stdin WITH (FORMAT csv, HEADER);\na,b\n1,"x\n;\'"\n\\.\n', b'a,b\n1,"x\n;\'"\n', []),
        (b"COPY t FROM STDIN CSV; -- the rows\n1\n\\.\n", b"1\n", []),
        (b"COPY BINARY t FROM stdin;  \n\\.\n", b"", []),
        (b"copy t(\"from\", b)\nfrom\n stdin\nwith (delimiter ';');\n1;2\n\\.\n", b"1;2\n", []),
        (b"COPY t FROM STDOUT;\n1\n\\.\n", b"1\n", []),
        (b"COPY t FROM stdin WHERE a > 1;\n\\.x\n x\\.\n\\.\n", b"\\.x\n x\\.\n", []),
        (b"COPY t FROM 'file';\nSELECT 1", None, [b"SELECT 1"]),
        (b"COPY t FROM PROGRAM 'cat';\nSELECT 1", None, [b"SELECT 1"]),
        (b"COPY t TO stdout;\nSELECT 1", None, [b"SELECT 1"]),
        (b"COPY (SELECT a FROM stdin) TO stdout;\nSELECT 1", None, [b"SELECT 1"]),
        (b'COPY "from" TO stdout;\nSELECT 1', None, [b"SELECT 1"]),
    ],
)
def test_copy_forms(text: bytes, data: bytes | None, rest: list[bytes]) -> None:
    splitter = split([text])
    copy = next(splitter)
    assert (copy.data if copy.data is None else b"".join(copy.data)) == data
    assert [statement.sql for statement in splitter] == rest


# psql


def test_harmless_psql_lines() -> None:
    """What each recent pg_dump writes is skipped, with a note."""
    splitter = Splitter([b"\\restrict abc\n\nSELECT 1;\n\\set ON_ERROR_STOP on\n\\unrestrict abc"])
    assert [statement.sql for statement in splitter] == [b"SELECT 1;"]
    assert splitter.notes == [
        "skipped \\restrict on line 1",
        "skipped \\set ON_ERROR_STOP on line 4",
        "skipped \\unrestrict on line 5",
    ]


UNTERMINATED = "unterminated "
BAD: dict[str, tuple[bytes, str, int, str]] = {
    "string": (b"SELECT 1;\nSELECT 'a\n;", "unterminated string", 2, "Close it with '."),
    "escape string": (b"SELECT E'a\\';", "unterminated string", 1, "Close it with '."),
    "escape string whose next part is open": (b"SELECT E'a'\n'b", "unterminated string", 1, "Close it with '."),
    "quoted identifier": (b'\nSELECT "a;', "unterminated quoted identifier", 2, 'Close it with ".'),
    "dollar quote": (b"SELECT 1,\n$f$ $g$", "unterminated dollar quote $f$", 2, "Close it with $f$."),
    "dollar quote without tag": (b"DO $$ $a$", "unterminated dollar quote $$", 1, "Close it with $$."),
    "comment": (b"SELECT 1 /* /* */", "unterminated comment", 1, "Close it with */; comments nest."),
    "comment between statements": (b"SELECT 1;\n\n/*", "unterminated comment", 3, "Close it with */; comments nest."),
    "copy": (
        b"\nCOPY t FROM stdin;\n1\n",
        "unterminated COPY block",
        2,
        "End the data with a line that holds only \\.",
    ),
    "copy without data": (
        b"COPY t FROM stdin",
        "unterminated COPY block",
        1,
        "End the data with a line that holds only \\.",
    ),
    "text after copy": (
        b"COPY t FROM stdin; SELECT 1;\n\\.\n",
        "text after COPY ... FROM stdin; on the same line",
        1,
        "The data begins on the next line: move this text below the line that holds only \\.",
    ),
    "comment over lines after copy": (
        b"COPY t FROM stdin; /* x\n*/\n\\.\n",
        "text after COPY ... FROM stdin; on the same line",
        1,
        "The data begins on the next line: move this text below the line that holds only \\.",
    ),
    "NUL": (
        b"SELECT 1;\nSELECT \0;",
        "not text: a NUL byte at byte 18",
        2,
        "PostgreSQL accepts no NUL; remove it, or save the file as UTF-8.",
    ),
    "Latin-1": (b"SELECT 1;\n-- caf\xe9\n", "not UTF-8: 0xE9 at byte 17", 2, "Save the file as UTF-8."),
    "Latin-1 in rows": (
        b"COPY t FROM stdin;\na\nb\nc\xe9\n\\.\n",
        "not UTF-8: 0xE9 at byte 25",
        4,
        "Save the file as UTF-8.",
    ),
    "NUL in a later line": (
        b"SELECT 1;\n\nSELECT\n'x',\n\0;",
        "not text: a NUL byte at byte 24",
        5,
        "PostgreSQL accepts no NUL; remove it, or save the file as UTF-8.",
    ),
    "cut character in a later line": (
        b"SELECT 1;\n\nSELECT\n'x',\n\xc3",
        "not UTF-8: 0xC3 at byte 24",
        5,
        "Save the file as UTF-8.",
    ),
    "cut character at the end": (b"SELECT 'a\xc3", "not UTF-8: 0xC3 at byte 10", 1, "Save the file as UTF-8."),
    "unpaired surrogate": (b"SELECT '\xed\xa0\x80'", "not UTF-8: 0xED at byte 9", 1, "Save the file as UTF-8."),
    "overlong": (b"SELECT '\xc0\xaf'", "not UTF-8: 0xC0 at byte 9", 1, "Save the file as UTF-8."),
}
PSQL_HINT = "Remove it: a file goes to the server, which knows no backslash commands."
BAD |= {
    f"psql {shown}": (text, f"{shown} is a command of psql, not SQL", line, PSQL_HINT)
    for text, shown, line in [
        (b"SELECT 1;\n\\copy t from 'x'\n", "\\copy", 2),
        (b"SELECT 1 \\gset\n", "\\gset", 1),
        (b"SELECT (1 \\;\n", "\\;", 1),
        (b"\\i other.sql", "\\i", 1),
        (b"\\d+ users", "\\d+", 1),
        (b"\\set AUTOCOMMIT off\n", "\\set", 1),
        (b"\\set ON_ERROR_STOPPED 1\n", "\\set", 1),
        (b"\\restricted\n", "\\restricted", 1),
        (b"SELECT 1\n\\restrict x\n;", "\\restrict", 2),
        (b"SELECT 1;\n\\.\n", "\\.", 2),
        (b"\\! rm\n", "\\!", 1),
        (b"\\", "\\", 1),
    ]
}


@pytest.mark.parametrize(("text", "message", "line", "hint"), BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("block", [BLOCK, 1, 5])
def test_bad_input(
    text: bytes, message: str, line: int, hint: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can't be read is refused, with the line where it begins and what to do."""
    monkeypatch.setattr("sqlmigrations.files.window.BLOCK", block)
    with pytest.raises(InvalidFile) as raised:
        list(split(blocks(text, block), name="001_bad.sql"))
    problem = raised.value.problem
    assert (problem.message, problem.file, problem.line, problem.hint) == (message, "001_bad.sql", line, hint)


# Directives


def test_directives() -> None:
    """Only line comments count, and each is known to stand before the first statement or not."""
    text = b"""-- sqlmigrations: transaction off
    --SQLMigrations : tags a -- sqlmigrations: tags b
-- about -- sqlmigrations: nothing
/* sqlmigrations: no
-- sqlmigrations: no */
SELECT '-- sqlmigrations: no' -- sqlmigrations: inside
, $$
-- sqlmigrations: no
$$; -- sqlmigrations: behind"""
    splitter = Splitter([text])
    list(splitter)
    assert splitter.directives == [
        (1, "-- sqlmigrations: transaction off", True),
        (2, "--SQLMigrations : tags a -- sqlmigrations: tags b", True),
        (6, "-- sqlmigrations: inside", False),
        (9, "-- sqlmigrations: behind", False),
    ]


# Size


def test_a_long_line() -> None:
    """A statement on one very long line is one statement."""
    value = b"x" * 20_000_000
    found = pieces(b"INSERT INTO t VALUES ('" + value + b"');SELECT 1;")
    assert [len(statement.sql) for statement in found] == [20_000_026, 9]


@pytest.mark.parametrize("opener", [b"'", b'"', b"$x$", b"/* ", b"E'", b"-- ", b"("])
def test_long_tokens_take_linear_time(opener: bytes) -> None:
    """A token of 3 MB is not read again and again: this would take minutes."""
    closer = {b"/* ": b" */", b"-- ": b"\n", b"(": b")", b"E'": b"'"}.get(opener, opener)
    found = pieces(b"SELECT " + opener + b"; x" * 1_000_000 + closer + b";SELECT 1;")
    assert [statement.sql[-2:] for statement in found] == [closer[-1:] + b";", b"1;"]


def test_deep_parentheses_take_linear_time() -> None:
    """So are 200,000 of them within each other."""
    found = pieces(b"SELECT " + b"(" * 200_000 + b";" + b")" * 200_000 + b"; SELECT 1;")
    assert [len(statement.sql) for statement in found] == [400_009, 9]
