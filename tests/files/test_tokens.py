"""Tokens: what the comparison of texts and the leading words are built on."""

from __future__ import annotations

import pytest

from sqlmigrations.files.tokens import Token, TokenKind, code, tokens

W, Q, S, N, P, OP, T, C, X = (
    TokenKind.WORD,
    TokenKind.QUOTED_NAME,
    TokenKind.STRING,
    TokenKind.NUMBER,
    TokenKind.PARAMETER,
    TokenKind.OPERATOR,
    TokenKind.PUNCTUATION,
    TokenKind.COMMENT,
    TokenKind.OTHER,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=-1", [(W, "a"), (OP, "="), (OP, "-"), (N, "1")]),
        ("a@-1", [(W, "a"), (OP, "@-"), (N, "1")]),
        ("a<->b", [(W, "a"), (OP, "<->"), (W, "b")]),
        ("a*/**/b", [(W, "a"), (OP, "*"), (C, "/**/"), (W, "b")]),
        ("a+--b", [(W, "a"), (OP, "+"), (C, "--b")]),
        ("a::b:=c..d", [(W, "a"), (T, "::"), (W, "b"), (T, ":="), (W, "c"), (T, ".."), (W, "d")]),
        ("1.5e-3 1..2 .5", [(N, "1.5e-3"), (N, "1"), (T, ".."), (N, "2"), (N, ".5")]),
        ("0x1F 1_000", [(N, "0x1F"), (N, "1_000")]),
        ("'a''b'E'\\''U&'x'b'1'", [(S, "'a''b'"), (S, "E'\\''"), (S, "U&'x'"), (S, "b'1'")]),
        ("E'a'\n'b'", [(S, "E'a'\n'b'")]),
        ('"a""b" U&"c"', [(Q, '"a""b"'), (Q, 'U&"c"')]),
        ("U & 'x'", [(W, "U"), (OP, "&"), (S, "'x'")]),
        ("$a$ $b$ $a$$1", [(S, "$a$ $b$ $a$"), (P, "$1")]),
        ("$a$ never", [(S, "$a$ never")]),
        ("'never", [(X, "'never")]),
        ("/* never", [(C, "/* never")]),
        ("a$1 é\\", [(W, "a$1"), (W, "é"), (X, "\\")]),
    ],
)  # fmt: skip
def test_tokens(text: str, expected: list[tuple[TokenKind, str]]) -> None:
    assert [(token.kind, token.text.decode()) for token in tokens(text.encode())] == expected


def test_code_has_no_comments() -> None:
    assert [token.text for token in code(b"a -- b\n/* c */ d")] == [b"a", b"d"]


@pytest.mark.parametrize(
    ("text", "identifier", "word", "string"),
    [
        (b"Users", "users", "USERS", ""),
        (b'"Us""ers"', 'Us"ers', "", ""),
        (b"'it''s'", "", "", "it's"),
        (b"E'a'", "", "", "a"),
        (b"$x$a$b$x$", "", "", "a$b"),
        (b"12", "", "", ""),
    ],
)
def test_what_a_token_stands_for(text: bytes, identifier: str, word: str, string: str) -> None:
    (token,) = tokens(text)
    assert isinstance(token, Token)
    assert (token.identifier, token.word, token.string) == (identifier, word, string)
