"""What a contestant is: a tool that runs a folder of SQL files and remembers each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import ClassVar

from benchmarks.processes import Command, run
from benchmarks.servers import Database, Server
from benchmarks.texts import Text


class Contestant(ABC):
    """A tool that runs SQL files, each in a transaction of its own with a row that remembers it."""

    #: What it is called in tables, and on the command line.
    name: ClassVar[str]
    #: What it is called with, for those who read the report.
    about: ClassVar[str]
    #: The Python package that brings it, where it isn't here anyway.
    package: ClassVar[str] = ""

    def version(self) -> str:
        """Return the version of the package; empty for one that isn't installed, or where there is none to tell."""
        try:
            return metadata.version(self.package) if self.package else ""
        except metadata.PackageNotFoundError:
            return ""

    @property
    def is_installed(self) -> bool:
        """Whether it can be measured here."""
        return not self.package or bool(self.version())

    @abstractmethod
    def lay_out(self, folder: Path, texts: Sequence[Text]) -> None:
        """Write the files as the tool wants them, and what else it needs, into an empty folder."""

    @abstractmethod
    def command(self, folder: Path, database: Database) -> Command:
        """Return how it is called to run all that is pending."""

    def make_tables(self, folder: Path, server: Server, database: Database) -> None:
        """Make the tool's own tables in a database, by a run without files unless it needs another way."""
        self.lay_out(folder, [])
        run(self.command(folder, database))

    @abstractmethod
    def remember(self, folder: Path, server: Server, database: Database, texts: Sequence[Text]) -> None:
        """Make its history say that the files of a folder were run.

        What it costs to find nothing to do doesn't depend on whether they really were.
        """
