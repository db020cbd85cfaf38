"""Checksums, and cosmetic changes told from real ones."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sqlmigrations.files.checksum import Change, Checksum, checksum, checksum_of
from sqlmigrations.files.comparison import compare


def test_checksum() -> None:
    """Its scheme and the digest of the text, without byte order mark and with plain line ends."""
    expected = "v1:" + hashlib.sha256(b"a\nb\rc\n\r").hexdigest()
    assert checksum([b"\xef\xbb\xbfa\r\nb\rc\n\r"]) == expected
    assert checksum([b"a\nb\rc\n\r"]) == expected
    assert checksum([]) == "v1:" + hashlib.sha256(b"").hexdigest()


def test_checksum_while_it_streams() -> None:
    """Its value can be asked for at any time."""
    taken = Checksum()
    taken.update(b"a\r")
    assert taken.value() == checksum([b"a\r"])
    taken.update(b"\nb")
    assert taken.value() == checksum([b"a\nb"])


def even(text: bytes) -> bytes:
    return text.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")


texts = st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\xef", b"\xbb", b"\xbf", b" "]), max_size=12).map(b"".join)


@given(texts, texts, st.integers(1, 5))
@example(b"\r\n", b"\n", 1)
@example(b"\xef\xbb\xbf", b"", 1)
@example(b"\xef\xbb\xbf\xef\xbb\xbf", b"\xef\xbb\xbf", 2)
def test_only_line_ends_and_byte_order_marks_are_equal(one: bytes, other: bytes, block: int) -> None:
    """Any other change of a byte changes the checksum, however the text arrives."""
    blocks = [one[start : start + block] for start in range(0, len(one), block)]
    assert (checksum(blocks) == checksum([other])) == (even(one) == even(other))
    assert checksum_of(one) == checksum(blocks)


@given(st.binary(max_size=40), st.integers(0, 39), st.integers(0, 255))
def test_one_byte(text: bytes, place: int, byte: int) -> None:
    """One byte replaced is another checksum, unless the text is the same or its line ends are."""
    changed = text[:place] + bytes([byte]) + text[place + 1 :]
    assert (checksum([changed]) == checksum([text])) == (even(changed) == even(text))


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("SELECT 1;", "SELECT 1;", Change.NONE),
        ("SELECT 1;\n", "SELECT 1;\r\n", Change.NONE),
        ("SELECT 1;", "SELECT  1 ; -- one\n", Change.COSMETIC),
        ("-- a\nSELECT 1;", "/* b */ SELECT /* c */\n1;;", Change.COSMETIC),
        ("SELECT a+1;", "SELECT a + 1;", Change.COSMETIC),
        ("SELECT a=-1;", "SELECT a = -1;", Change.COSMETIC),
        ("SELECT a::int,b;", "SELECT a :: int , b;", Change.COSMETIC),
        ("\\restrict a\nSELECT 1;", "\\restrict b\nSELECT 1;", Change.COSMETIC),
        ("-- sqlmigrations: tags a\nSELECT 1;", "-- sqlmigrations: tags b\nSELECT 1;", Change.COSMETIC),
        ("SELECT 'a'\n'b';", "SELECT 'a' -- c\n\n'b';", Change.COSMETIC),
        ("COPY t FROM stdin;\n1\n\\.\n", "COPY  t FROM stdin; -- x\n1\n\\.\n\n", Change.COSMETIC),
        ("COPY t FROM stdin;\n1\n\\.\n-- a\n", "COPY t FROM stdin;\r\n1\r\n\\.\r\n", Change.COSMETIC),
        # A comment that swallows what was a statement.
        ("-- cleanup \nDROP TABLE audit;", "-- cleanup DROP TABLE audit;", Change.CHANGED),
        ("SELECT 1; -- x\nSELECT 2;", "SELECT 1; -- x SELECT 2;", Change.CHANGED),
        ("SELECT 1 /* a */ + 1;", "SELECT 1 /* a + 1 */;", Change.CHANGED),
        ("SELECT 1 -- \r+ 1;", "SELECT 1 -- + 1;", Change.CHANGED),
        # Layout that means something.
        ("SELECT 'a'\n'b';", "SELECT 'a' 'b';", Change.CHANGED),
        ("SELECT 'a'\n'b';", "SELECT 'a''b';", Change.CHANGED),
        ("SELECT E'a'\n'\\n';", "SELECT E'a' '\\n';", Change.CHANGED),
        ("SELECT a b;", "SELECT ab;", Change.CHANGED),
        ("SELECT 1 2;", "SELECT 12;", Change.CHANGED),
        ("SELECT a < - b;", "SELECT a <- b;", Change.COSMETIC),
        ("SELECT a @ - b;", "SELECT a @- b;", Change.CHANGED),
        ("SELECT e 'a';", "SELECT e'a';", Change.CHANGED),
        ("SELECT 1 . 5;", "SELECT 1.5;", Change.CHANGED),
        ("SELECT a: :b;", "SELECT a::b;", Change.CHANGED),
        ("SELECT $$ a$$;", "SELECT $$ a $$;", Change.CHANGED),
        ("DO $$BEGIN END$$", "DO $$BEGIN -- x\nEND$$", Change.CHANGED),
        ('SELECT "a";', 'SELECT "a ";', Change.CHANGED),
        ("SELECT 'a b';", "SELECT 'a  b';", Change.CHANGED),
        ("SELECT a; SELECT b;", "SELECT a SELECT b;", Change.CHANGED),
        ("SELECT a;", "SELECT A;", Change.CHANGED),
        ("COPY t FROM stdin;\n1\n\\.\n", "COPY t FROM stdin;\n1 \n\\.\n", Change.CHANGED),
        ("COPY t FROM stdin;\n\\.\n", "COPY t FROM stdin;\n\n\\.\n", Change.CHANGED),
        # What can't be split is never cosmetic.
        ("SELECT 'a", "SELECT  'a", Change.CHANGED),
        ("SELECT 1;", "SELECT '", Change.CHANGED),
    ],
)  # fmt: skip
def test_compare(old: str, new: str, change: Change) -> None:
    assert compare(old, new) is change
    assert compare(new, old) is change
