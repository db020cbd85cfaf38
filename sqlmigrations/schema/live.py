"""The schema of a database as one validation looks at it: each part is read once, and only when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from sqlmigrations.database import Connection
from sqlmigrations.schema.catalog import Catalog, read_catalog, read_fingerprint, read_not_covered


class Live:
    """The fingerprint and the catalog of the database behind ``connection``.

    Reading either raises ``CatalogBusy`` where that is not possible at the moment.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @cached_property
    def fingerprint(self) -> str:
        """The fingerprint of the catalogs, never a later one than that of ``catalog``."""
        return read_fingerprint(self.connection)

    @cached_property
    def not_covered(self) -> Mapping[str, int]:
        """How many objects there are of each kind that is not read; asked alone, it takes no look at the others."""
        return read_not_covered(self.connection)

    @cached_property
    def catalog(self) -> Catalog:
        """All objects."""
        _ = self.fingerprint
        return read_catalog(self.connection)
