"""What can be told of a file at a glance: thousands of them are looked at in a run that finds nothing to do."""

from __future__ import annotations

import re

#: Begins a directive. Besides, the marks behind which dbmate and goose keep what undoes a file: read on, they would be
#: run.
DIRECTIVE = re.compile(rb"--[ \t]*(?:sqlmigrations[ \t]*:|migrate:down|\+goose[ \t]+down)", re.IGNORECASE)


def is_plain(text: bytes) -> bool:
    """Tell at a glance of a whole text that it has no directives, and nothing to refuse before its first statement.

    Most files are so. For all others it takes a ``Splitter``.
    """
    suspect = b"\0" in text or b"\\" in text or b"/*" in text or not text.isascii()
    return not suspect and not (b"--" in text and DIRECTIVE.search(text))
