"""Models whose rows the ORM only reads: the runner writes them, by SQL of its own."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models

from sqlmigrations.exceptions import HistoryIsReadOnly


def _refuse(what: str) -> NoReturn:
    raise HistoryIsReadOnly(
        f"{what} is written by the runner alone.",
        hint="Use `manage.py applysql`, whose flags change the history in a way that it remembers.",
    )


class ReadOnlyQuerySet(models.QuerySet[Any]):
    """Read rows, and refuse to write any."""

    def create(self, **kwargs: Any) -> NoReturn:
        """Refuse to add a row."""
        _refuse(self.model.__name__)

    def bulk_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse to add rows."""
        _refuse(self.model.__name__)

    def update(self, **kwargs: Any) -> NoReturn:
        """Refuse to change rows."""
        _refuse(self.model.__name__)

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse to change rows."""
        _refuse(self.model.__name__)

    def delete(self) -> NoReturn:
        """Refuse to remove rows."""
        _refuse(self.model.__name__)


class ReadOnlyModel(models.Model):
    """A model whose rows the ORM only reads."""

    objects = ReadOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse to write this row."""
        _refuse(type(self).__name__)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse to remove this row."""
        _refuse(type(self).__name__)
