"""The bodies of SQL-standard functions, whose semicolons don't end the statement."""

from __future__ import annotations


class RoutineBody:
    """Follow ``BEGIN ATOMIC ... END`` through the tokens of a statement that makes a function or procedure.

    The pair BEGIN ATOMIC opens a body, and only an END that stands where a statement could begin closes it: directly
    after ATOMIC or a semicolon. So says the server's grammar (``opt_routine_body`` in gram.y), to which END elsewhere
    closes a CASE or is a name. A body can only hold another one in a statement that makes a function, too.
    """

    def __init__(self) -> None:
        self.depth = 0
        self._after_begin = False
        self._words: list[bytes] = []
        self._at_start = False

    def word(self, text: bytes) -> None:
        """Take a word that stands outside quotes and parentheses."""
        word = text.upper()
        if self._after_begin and word == b"ATOMIC" and (not self.depth or makes_routine(self._words)):
            self.depth += 1
            self._start()
            return
        if self._at_start and word == b"END":
            self.depth -= 1
        self._after_begin = word == b"BEGIN"
        self._at_start = False
        if len(self._words) < 4:
            self._words.append(word)

    def other(self) -> None:
        """Take any other token, comments aside."""
        self._after_begin = self._at_start = False

    def semicolon(self) -> bool:
        """Take a semicolon outside parentheses; return whether it belongs to the body."""
        self._start()
        return self.depth > 0

    def _start(self) -> None:
        self._after_begin, self._at_start = False, self.depth > 0
        self._words = []


def makes_routine(words: list[bytes]) -> bool:
    """Say whether a statement that begins with these words, in upper case, makes a function or procedure."""
    return [word for word in words if word not in (b"OR", b"REPLACE")][:2] in (
        [b"CREATE", b"FUNCTION"],
        [b"CREATE", b"PROCEDURE"],
    )
