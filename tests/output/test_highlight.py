from __future__ import annotations

from html import unescape

import pytest
from django.utils.html import strip_tags
from django.utils.translation import override

from sqlmigrations.output.highlight import (
    LINES_BEFORE,
    MAX_CHARACTERS,
    MAX_LINE_LENGTH,
    MAX_LINES,
    Excerpt,
    Mark,
    excerpt,
    highlight,
)


def test_each_line_has_a_number_an_anchor_and_its_colours() -> None:
    html = highlight("SELECT name -- why\nFROM users;\n")

    assert html == (
        '<div class="sqlm-highlight"><pre class="sqlm-code"><code>'
        '<span class="sqlm-line" id="L1"><a class="sqlm-number" href="#L1" data-number="1" tabindex="-1" '
        'aria-hidden="true"></a><span class="sqlm-sql-k">SELECT</span> <span class="sqlm-sql-k">name</span> '
        '<span class="sqlm-sql-c1">-- why</span>\n</span>'
        '<span class="sqlm-line" id="L2"><a class="sqlm-number" href="#L2" data-number="2" tabindex="-1" '
        'aria-hidden="true"></a><span class="sqlm-sql-k">FROM</span> users;\n</span>'
        "</code></pre></div>"
    )


def test_the_error_is_marked_and_said_below_its_line() -> None:
    html = highlight("a\nb\n", first_line=11, anchor="E", mark=Mark(12, 'column "b" <missing>'))

    assert html == (
        '<div class="sqlm-highlight"><pre class="sqlm-code"><code>'
        '<span class="sqlm-line" id="E11"><a class="sqlm-number" href="#E11" data-number="11" tabindex="-1" '
        'aria-hidden="true"></a>a\n</span>'
        '<span class="sqlm-line sqlm-line--error" id="E12"><a class="sqlm-number" href="#E12" data-number="12" '
        'tabindex="-1" aria-hidden="true"></a>b\n</span>'
        '<span class="sqlm-note" role="note"><strong>Error:</strong> column &quot;b&quot; &lt;missing&gt;\n</span>'
        "</code></pre></div>"
    )


def test_the_note_speaks_the_language_of_the_page() -> None:
    with override("de"):
        assert "<strong>Fehler:</strong> x" in highlight("a", mark=Mark(1, "x"))


def test_without_numbers_there_are_no_ids() -> None:
    assert highlight("a\nb", numbered=False) == (
        '<div class="sqlm-highlight"><pre class="sqlm-code"><code>'
        '<span class="sqlm-line">a\n</span><span class="sqlm-line">b\n</span></code></pre></div>'
    )


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("", "\n"),
        ("<script>alert('&amp;')</script>", "<script>alert('&amp;')</script>\n"),
        ("a\r\nb", "a\nb\n"),
        ("a\rb", "a␍b\n"),
        ("a\x0cb\x0bc\x85d\u2028e", "a\x0cb\x0bc\x85d\u2028e\n"),
        ("\n\na", "\n\na\n"),
        ("a\n\n", "a\n\n"),
        ('"Ünï ""q"""', '"Ünï ""q"""\n'),
        ("$$ it's\nopen", "$$ it's\nopen\n"),
        ("/* never\nclosed", "/* never\nclosed\n"),
        ("SELECT E'\\'", "SELECT E'\\'\n"),
    ],
)
def test_text_stays_as_it_is(sql: str, shown: str) -> None:
    html = highlight(sql)

    assert unescape(strip_tags(html)) == shown
    assert html.count("<script") == 0
    assert html.count('class="sqlm-line"') == shown.count("\n")


def test_bodies_of_functions_are_coloured_too() -> None:
    assert '<span class="sqlm-sql-k">PERFORM</span>' in highlight("DO $$ BEGIN PERFORM 1; END $$")


def test_no_inline_style_is_written() -> None:
    assert "style" not in highlight("CREATE TABLE t (a int DEFAULT 1, b text DEFAULT 'x'); -- y", mark=Mark(1, "z"))


@pytest.mark.parametrize(
    ("text", "around", "expected"),
    [
        ("", None, Excerpt("\n", 1, 1, 1, False)),
        ("a", None, Excerpt("a\n", 1, 1, 1, False)),
        ("a\nb\n", None, Excerpt("a\nb\n", 1, 2, 2, False)),
        ("a\nb\n", 2, Excerpt("a\nb\n", 1, 2, 2, False)),
        ("a\nb\n", 99, Excerpt("a\nb\n", 1, 2, 2, False)),
    ],
)
def test_a_small_text_is_shown_whole(text: str, around: int | None, expected: Excerpt) -> None:
    assert excerpt(text, around) == expected


def test_a_long_text_is_cut_to_its_first_lines() -> None:
    window = excerpt("x\n" * (MAX_LINES + 5))

    assert (window.first_line, window.last_line, window.total_lines, window.is_cut) == (
        1,
        MAX_LINES,
        MAX_LINES + 5,
        True,
    )


def test_a_wide_text_is_cut_to_so_many_characters() -> None:
    window = excerpt(("x" * 999 + "\n") * 500)

    assert (window.last_line, len(window.text)) == (MAX_CHARACTERS // 1000, MAX_CHARACTERS)


def test_a_long_line_ends_with_an_ellipsis() -> None:
    window = excerpt("y" * 1_000_000 + "\nz")

    assert window == Excerpt("y" * (MAX_LINE_LENGTH - 1) + "…\nz\n", 1, 2, 2, True)


def test_the_window_follows_an_error_beyond_the_first_lines() -> None:
    window = excerpt("\n".join(str(number) for number in range(1, 5001)), around=4321)

    assert window.first_line == 4321 - LINES_BEFORE
    assert window.last_line == 5000
    assert window.text.splitlines()[LINES_BEFORE] == "4321"


def test_the_window_holds_the_error_even_behind_very_long_lines() -> None:
    window = excerpt(("x" * 5_000 + "\n") * 3_000, around=2_000)

    assert window.first_line <= 2_000 <= window.last_line


def test_a_megabyte_makes_a_page_of_bounded_size() -> None:
    text = "INSERT INTO t VALUES (1, 2, 3, 'abc', 4.5);\n" * 25_000

    assert len(highlight(excerpt(text).text)) < 500_000
