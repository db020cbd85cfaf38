"""Look at statements that can't be parsed by their keywords alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlmigrations.files.keywords import read_by_keywords
from sqlmigrations.files.tokens import code
from sqlmigrations.lint.actions import Action
from sqlmigrations.lint.base import Hit, Subject
from sqlmigrations.messages import gettext as _

#: How much of a large statement is looked at, in bytes.
_LOOKED_AT = 65536
#: What the words of a statement betray, ``;`` between those of a body: the rule, and the words.
_BETRAYING = tuple(
    (rule, re.compile(words))
    for rule, words in (
        ("create-index-blocking", r"^CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)"),
        ("drop-index-blocking", r"^DROP INDEX (?!CONCURRENTLY)"),
        ("reindex-blocking", r"^REINDEX (?!.*CONCURRENTLY)"),
        ("drop-table", r"^DROP TABLE "),
        ("truncate", r"^TRUNCATE "),
        ("vacuum-full", r"^(?:VACUUM \(? ?FULL|CLUSTER)\b"),
        ("drop-column", r"^ALTER TABLE .*\bDROP COLUMN\b"),
        ("set-not-null", r"^ALTER TABLE .*\bSET NOT NULL\b"),
        ("change-column-type", r"^ALTER TABLE .*\bALTER (?:COLUMN )?\S+ (?:SET DATA )?TYPE\b"),
        ("add-foreign-key", r"^ALTER TABLE .*\bADD (?:CONSTRAINT \S+ )?FOREIGN KEY\b(?!.*NOT (?:VALID|ENFORCED))"),
        ("add-check", r"^ALTER TABLE .*\bADD (?:CONSTRAINT \S+ )?CHECK\b(?!.*NOT (?:VALID|ENFORCED))"),
        ("add-unique", r"^ALTER TABLE .*\bADD (?:CONSTRAINT \S+ )?(?:UNIQUE|PRIMARY KEY)\b(?!.*USING INDEX)"),
        ("add-exclusion", r"^ALTER TABLE .*\bADD (?:CONSTRAINT \S+ )?EXCLUDE\b"),
        ("add-column-stored", r"^ALTER TABLE .*\bADD .*\bSTORED\b"),
        ("refresh-blocking", r"^REFRESH MATERIALIZED VIEW (?!CONCURRENTLY)"),
        ("update-without-where", r"^UPDATE (?!.*\bWHERE\b)"),
        ("delete-without-where", r"^DELETE FROM (?!.*\bWHERE\b)"),
    )
)
#: What stands before the statements of a body.
_INTRODUCING = ("BEGIN", "THEN", "ELSE", "LOOP")


def hits_by_keywords(action: Action) -> Iterator[tuple[str, Hit]]:
    """Yield what the keywords of an unparsed statement, or of a body that can't be read, betray."""
    for words, line in _sentences(action):
        for rule, betraying in _BETRAYING:
            if betraying.search(words):
                changed = read_by_keywords(action.statement) if not action.inside else None
                table = max(changed[0], key=len, default=()) if changed else ()
                yield (
                    rule,
                    Hit(
                        _("By its keywords this may be it: {words}.", words=words[:60].strip()),
                        "",
                        Subject(table),
                        line=line,
                    ),
                )
                break


def _sentences(action: Action) -> Iterator[tuple[str, int]]:
    """Yield the words of each statement as one line, with the line of the file where it begins."""
    sql, line = action.sql[:_LOOKED_AT], action.line
    if action.inside:
        body = max((token for token in code(sql) if token.string), key=lambda token: len(token.text), default=None)
        if body is None:
            return
        line += sql.count(b"\n", 0, body.start)
        sql = body.string.encode()
    words: list[str] = []
    begins = line
    for token in code(sql):
        if token.text == b";" or (action.inside and token.word in _INTRODUCING):
            yield " ".join(words), begins
            words = []
            continue
        if not words:
            begins = line + sql.count(b"\n", 0, token.start)
        words.append(token.word or token.text.decode(errors="replace"))
    yield " ".join(words), begins
