"""Two texts of which the words are marked that differ."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")

#: Takes a text and the sign that stands in for a colour where there is none.
Paint = Callable[[str], str]


def marked(expected: str, found: str, *, removed: Paint, added: Paint) -> tuple[str, str]:
    """Return both texts, the words that only one of them has painted; texts that share nothing are left alone."""
    one, other = _WORDS.findall(expected), _WORDS.findall(found)
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    same = sum(block.size for block in matcher.get_matching_blocks())
    if not same or len(one) <= 1 or len(other) <= 1:
        return expected, found
    codes = matcher.get_opcodes()
    return (
        "".join(_painted(one, ((first, last, tag != "equal") for tag, first, last, _, _ in codes), removed)),
        "".join(_painted(other, ((first, last, tag != "equal") for tag, _, _, first, last in codes), added)),
    )


def _painted(words: Sequence[str], parts: Iterator[tuple[int, int, bool]], paint: Paint) -> Iterator[str]:
    for first, last, differs in parts:
        text = "".join(words[first:last])
        if not differs or not text.strip():
            yield text
        else:  # line by line, so that no colour runs over the end of a line
            yield "\n".join(paint(line) if line.strip() else line for line in text.split("\n"))
