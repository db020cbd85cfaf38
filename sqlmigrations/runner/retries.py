"""What is tried again, how often, and after which pause."""

from __future__ import annotations

import random

from sqlmigrations.conf import settings
from sqlmigrations.files.scripts import Script

#: What is tried again: a lock timeout and a deadlock, in which nothing was wrong with the file.
RETRIED = frozenset({"55P03", "40P01"})

#: Seconds of the first pause between two tries, and of the longest one.
BACKOFF = (0.5, 15.0)

#: Seconds after which no further try of a whole file begins, however many are left.
RETRIED_FOR = 120.0


def retries_of(script: Script) -> int:
    """Return how often ``script``, or a statement of it, is tried again."""
    given = script.directives.retries
    return int(settings.RETRIES) if given is None else given


def pause(number: int) -> float:
    """Return the seconds to wait after try ``number``: exponential, capped, with full jitter."""
    first, longest = BACKOFF
    return random.uniform(0, min(longest, first * 2 ** (number - 1)))  # noqa: S311 - jitter, not cryptography
