"""SQL files and the scripts beside them, looked at as far as a plan is made of them.

Most runs find thousands of files and run none: what only a file that runs is read with is imported when it is.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sqlmigrations.exceptions import InvalidFile, Problem
from sqlmigrations.files import directives as directives_
from sqlmigrations.files.checksum import checksum, checksum_of
from sqlmigrations.files.directives import Directives
from sqlmigrations.files.glance import is_plain
from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.window import BLOCK
from sqlmigrations.messages import gettext as _

if TYPE_CHECKING:
    from sqlmigrations.files.held import SplitText
    from sqlmigrations.files.reading import Reading
    from sqlmigrations.files.statements import Statement

#: Files up to this size, in bytes, are read and judged whole before anything runs.
SMALL = 16 * 1024 * 1024

#: How much of a file is read first, in bytes: most have no more, and memory for ``BLOCK`` takes longer to get.
FIRST = 1 << 16

_digits = re.compile(r"[0-9]+")


class Stamp(NamedTuple):
    """What the file system says of a file: another stamp, and it was touched. Times are in ns."""

    size: int
    inode: int = 0
    modified: int = 0
    changed: int = 0


class _Glance(NamedTuple):
    """What the beginning of a file has told: its directives, or why they can't be read; the checksum of a short one."""

    directives: Directives | InvalidFile
    checksum: str | None = None


@dataclass(frozen=True)
class Script:
    """A file of SQL on disk: a SQL file itself, its down script or its verify script.

    ``place`` is its path, as text where there may be thousands: a ``Path`` takes long to make.
    """

    name: str
    place: str | Path

    @functools.cached_property
    def path(self) -> Path:
        """Where the file is."""
        return Path(self.place)

    def blocks(self) -> Iterator[bytes]:
        """Yield the file in blocks. Raises ``InvalidFile`` when it can't be read."""
        try:
            file = os.open(self.place, os.O_RDONLY)  # takes half as long as a file object
            try:
                size = FIRST
                while block := os.read(file, size):
                    yield block
                    size = BLOCK
            finally:
                os.close(file)
        except OSError as error:
            raise InvalidFile(_unreadable(self.name, error)) from error

    def statements(self) -> tuple[Directives, tuple[Statement, ...]]:
        """Read the file without judging it: what it says of itself, and its statements. Raises ``InvalidFile``."""
        from sqlmigrations.files.splitter import Splitter

        splitter = Splitter(self.blocks(), name=self.name)
        splitter.skip_gap()
        found = tuple(splitter)
        return directives_.parse(splitter.directives, name=self.name), found

    def read(self, *, objects: bool = False) -> Reading:
        """Begin to read the file; ``objects`` also collects what it makes. Raises ``InvalidFile`` for a directive."""
        from sqlmigrations.files.reading import Reading

        return Reading(self, objects=objects)

    def hold(self, split: SplitText) -> None:
        """Hold the file's text, split already, for whoever reads it next."""
        vars(self)["_split"] = split

    def take(self) -> SplitText | None:
        """Give away what is held, if the file was not touched since. Raises ``InvalidFile`` when that can't be told."""
        split: SplitText | None = vars(self).pop("_split", None)
        return split if split is not None and split.stamp == self.stamp() else None

    @property
    def directives(self) -> Directives:
        """What the file says about itself; reads its beginning once. Raises ``InvalidFile``."""
        found = self._glance.directives
        if isinstance(found, InvalidFile):
            raise found
        return found

    @property
    def is_long(self) -> bool:
        """Whether it takes more than a glance to tell the checksum. Raises ``InvalidFile`` when it can't be read."""
        return self._glance.checksum is None

    @property
    def checksum(self) -> str:
        """The checksum of the text on disk; reads the file once. Raises ``InvalidFile`` when it can't be read."""
        return self._glance.checksum or self._checksum

    @functools.cached_property
    def _checksum(self) -> str:
        """The checksum of a long text."""
        return checksum(self.blocks())

    @functools.cached_property
    def _glance(self) -> _Glance:
        """What is seen at a glance; nothing of the text is kept. Raises ``InvalidFile`` when it can't be read."""
        blocks = self.blocks()
        first = next(blocks, b"")
        second = next(blocks, None)
        if second is not None:
            return _Glance(self._directives(chain([first, second], blocks)))
        return _Glance(directives_.NONE if is_plain(first) else self._directives([first]), checksum_of(first))

    def _directives(self, blocks: Iterable[bytes]) -> Directives | InvalidFile:
        from sqlmigrations.files.splitter import Splitter

        try:
            splitter = Splitter(blocks, name=self.name)
            splitter.skip_gap()
            return directives_.parse(splitter.directives, name=self.name)
        except InvalidFile as error:
            return error

    def stamp(self) -> Stamp:
        """Return what the file system says of the file. Raises ``InvalidFile`` when it can't be looked at."""
        try:
            status = os.stat(self.place)
        except OSError as error:
            raise InvalidFile(_unreadable(self.name, error)) from error
        return Stamp(status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)

    @property
    def size(self) -> int:
        """The file's size in bytes. Raises ``InvalidFile`` when it can't be looked at."""
        return self.stamp().size


@dataclass(frozen=True)
class SQLFile(Script):
    """A SQL file with its companions. ``folder`` is an app's label, or empty for the project's own folders."""

    kind: Kind = Kind.VERSIONED
    folder: str = ""
    down: Script | None = None
    verify: Script | None = None

    @property
    def number(self) -> str | None:
        """The digits that the file's own name begins with."""
        digits = _digits.match(self.name, self.name.rfind("/") + 1)
        return digits.group() if digits else None


def _unreadable(name: str, error: OSError) -> Problem:
    return Problem(
        _("can't be read: {error}", error=error.strerror or error),
        name,
        hint=_("Look at the file's owner and its rights."),
    )
