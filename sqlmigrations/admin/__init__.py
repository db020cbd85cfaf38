"""The history and the state of each database in Django's admin: to read, and never to write.

The mixins are for projects that register the models themselves, with a theme's ``ModelAdmin`` or columns of their own::

    admin.site.unregister(MigrationRecord)


    @admin.register(MigrationRecord)
    class RecordAdmin(MigrationRecordAdminMixin, unfold.admin.ModelAdmin):
        list_filter = ["state"]
"""

from __future__ import annotations

from sqlmigrations.admin.events import MigrationEventAdmin, MigrationEventAdminMixin
from sqlmigrations.admin.readonly import HistoryAdminMixin
from sqlmigrations.admin.records import MigrationRecordAdmin, MigrationRecordAdminMixin
from sqlmigrations.admin.state import StatePagesMixin

__all__ = [
    "HistoryAdminMixin",
    "MigrationEventAdmin",
    "MigrationEventAdminMixin",
    "MigrationRecordAdmin",
    "MigrationRecordAdminMixin",
    "StatePagesMixin",
]
