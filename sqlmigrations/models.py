"""The history: what the database holds of each SQL file, everything that ever happened, and the schema's versions.

All models are unmanaged and read-only. Their tables are made by ``RunSQL`` in the migrations, so that ``flush`` and
``TransactionTestCase`` leave the history alone as they leave the schema alone. Records and events are written by
``sqlmigrations.history``, in the very transaction of the file they speak of.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from sqlmigrations.files.kinds import Kind
from sqlmigrations.read_only import ReadOnlyModel

#: The kinds of files, as people read them.
KINDS = [
    (Kind.VERSIONED.value, _("versioned")),
    (Kind.REPEATABLE.value, _("repeatable")),
    (Kind.SEED.value, _("seed")),
]


class State(models.TextChoices):
    """How the last attempt at a file ended."""

    APPLIED = "applied", _("applied")
    FAILED = "failed", _("failed")
    PARTIAL = "partial", _("partly applied")
    IN_DOUBT = "in_doubt", _("in doubt")
    REVERTED = "reverted", _("reverted")
    BASELINED = "baselined", _("recorded without running")
    RETIRED = "retired", _("retired")


class EventType(models.TextChoices):
    """What happened."""

    STARTED = "started", _("started")
    RESUMED = "resumed", _("resumed")
    APPLIED = "applied", _("applied")
    FAILED = "failed", _("failed")
    STOPPED = "stopped", _("stopped half-way")
    BASELINED = "baselined", _("recorded without running")
    REVERTED = "reverted", _("reverted")
    REVERT_FAILED = "revert_failed", _("failed to revert")
    ACCEPTED = "accepted", _("accepted as changed")
    RENAMED = "renamed", _("renamed")
    RETIRED = "retired", _("retired")
    ADOPTED = "adopted", _("adopted from another tool")
    SCHEMA_ACCEPTED = "schema_accepted", _("schema accepted as found")
    DDL_LOG_INSTALLED = "ddl_log_installed", _("DDL log installed")
    DDL_LOG_REMOVED = "ddl_log_removed", _("DDL log removed")
    EXAMINED = "examined", _("health examined")
    REQUESTED = "requested", _("asked for in the admin")
    ENDED = "ended", _("ended")


#: Events of an attempt that did not come through.
FAILURES = frozenset({EventType.FAILED, EventType.STOPPED, EventType.REVERT_FAILED})


class MigrationRecord(ReadOnlyModel):
    """What the database holds of one SQL file, and how the last attempt at it went.

    Unlike a row of ``django_migrations``, which means *applied*, a row stays for good and carries its state.
    ``executed_at``, ``checksum`` and the SQL texts describe what the database holds; ``state``, ``success``,
    ``attempted_at``, ``execution_time_ms`` and the error describe the last attempt.
    """

    id = models.BigAutoField(_("id"), primary_key=True)
    filename = models.TextField(_("file"), unique=True, help_text=_("The file's path below its migrations folder."))
    kind = models.TextField(_("kind"), choices=KINDS)
    state = models.TextField(_("state"), choices=State)
    success = models.BooleanField(
        _("success"), null=True, help_text=_("Whether the last attempt succeeded; empty where none was made.")
    )
    executed_at = models.DateTimeField(
        _("executed at"), null=True, help_text=_("When the text that the database holds was applied.")
    )
    attempted_at = models.DateTimeField(_("last attempt"), help_text=_("When the last attempt ended."))
    execution_time_ms = models.FloatField(
        _("duration"), null=True, help_text=_("How long the last attempt took, in milliseconds.")
    )
    error_message = models.TextField(_("error"), blank=True)
    error_sqlstate = models.TextField(_("SQLSTATE"), blank=True)
    error_line = models.IntegerField(_("line of the error"), null=True)
    checksum = models.TextField(_("checksum"), blank=True)
    applied_sql = models.TextField(_("SQL as applied"), null=True)
    down_sql = models.TextField(_("down script"), null=True)
    verify_sql = models.TextField(_("verify script"), null=True)
    statements_done = models.IntegerField(_("statements done"), default=0)
    statements_total = models.IntegerField(_("statements in all"), null=True)
    applied_by = models.TextField(_("by"), help_text=_("The database role of the last attempt."))
    revision = models.TextField(_("revision"), blank=True, help_text=_("The code's revision at the last attempt."))
    tags = models.JSONField(_("tags"), default=list)
    objects_made = models.JSONField(
        _("objects made"), default=list, help_text=_("The objects it made, each with file and line.")
    )
    progress = models.JSONField(
        _("progress"), null=True, help_text=_("How far a file outside a transaction has come, to resume it.")
    )

    class Meta:
        managed = False
        db_table = "sqlmigrations_migrationrecord"
        verbose_name = _("SQL migration")
        verbose_name_plural = _("SQL migrations")
        ordering = ("-attempted_at", "-id")
        # What the admin's actions ask for, each for one of its own.
        permissions = (
            ("apply_migrationrecord", "Can apply SQL migrations"),
            ("revert_migrationrecord", "Can revert SQL migrations"),
            ("fake_migrationrecord", "Can mark SQL migrations as applied"),
            ("validate_migrationrecord", "Can run validations"),
            ("examine_migrationrecord", "Can run health checks"),
            ("accept_migrationrecord", "Can accept drift"),
        )

    def __str__(self) -> str:
        return self.filename


class MigrationEvent(ReadOnlyModel):
    """One thing that happened; append-only, each row carrying the hash of the one before."""

    id = models.BigAutoField(_("id"), primary_key=True)
    run = models.UUIDField(_("run"), help_text=_("All events of one run share it."))
    type = models.TextField(_("type"), choices=EventType)
    filename = models.TextField(_("file"))
    at = models.DateTimeField(_("at"))
    duration_ms = models.FloatField(_("duration"), null=True, help_text=_("In milliseconds."))
    role = models.TextField(_("database role"))
    os_user = models.TextField(_("system user"), blank=True)
    host = models.TextField(_("host"), blank=True)
    application_name = models.TextField(_("application"), blank=True)
    backend_pid = models.IntegerField(_("backend pid"))
    backend_start = models.DateTimeField(_("backend start"))
    tool = models.TextField(_("tool"), help_text=_("This package's version."))
    server = models.TextField(_("server"), help_text=_("The server's version."))
    revision = models.TextField(_("revision"), blank=True)
    checksum = models.TextField(_("checksum"), blank=True)
    timings = models.JSONField(
        _("timings"), default=list, help_text=_("Per statement: its line and how long it took, in milliseconds.")
    )
    notices = models.JSONField(_("notices"), default=list)
    sqlstate = models.TextField(_("SQLSTATE"), blank=True)
    line = models.IntegerField(_("line"), null=True)
    blockers = models.JSONField(_("blockers"), default=list)
    details = models.JSONField(_("details"), default=dict)
    previous_hash = models.TextField(_("hash of the event before"), unique=True)
    hash = models.TextField(_("hash"))

    class Meta:
        managed = False
        db_table = "sqlmigrations_migrationevent"
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("id",)
        permissions = (("export_migrationevent", "Can export events"),)

    def __str__(self) -> str:
        return f"{self.filename} {self.type}".strip()

    @property
    def message(self) -> str:
        """The error of a failed event, or the reason that a person gave."""
        return str(self.details.get("message") or self.details.get("reason") or "")


class SchemaChange(ReadOnlyModel):
    """One change of the schema, as the event triggers of the DDL log saw it."""

    id = models.BigAutoField(_("id"), primary_key=True)
    at = models.DateTimeField(_("at"))
    xid = models.BigIntegerField(_("transaction"), help_text=_("The changes of one transaction share it."))
    role = models.TextField(_("database role"), help_text=_("The role that the session began with."))
    assumed_role = models.TextField(_("assumed role"), blank=True, help_text=_("The one it took on with SET ROLE."))
    application_name = models.TextField(_("application"), blank=True)
    client_address = models.TextField(_("address"), blank=True, help_text=_("Empty for a local socket."))
    backend_pid = models.IntegerField(_("backend pid"))
    filename = models.TextField(_("file"), blank=True, help_text=_("The SQL file that was being applied, if any."))
    tag = models.TextField(_("command"))
    kind = models.TextField(_("kind"))
    object = models.TextField(_("object"), blank=True, help_text=_("PostgreSQL names none for GRANT and REVOKE."))
    dropped = models.BooleanField(_("dropped"))
    statement = models.TextField(_("statement"))
    query = models.TextField(
        _("query"), blank=True, help_text=_("What the client sent, where the statement ran within something else.")
    )

    class Meta:
        managed = False
        db_table = "sqlmigrations_schemachange"
        verbose_name = _("schema change")
        verbose_name_plural = _("schema changes")
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.tag} {self.object}".strip()


class SnapshotReason(models.TextChoices):
    """What moved the snapshot."""

    RUN = "run", _("a run of SQL files")
    MIGRATE = "migrate", _("Django's migrate")
    ACCEPTED = "accepted", _("accepted as it was found")


class SchemaSnapshot(ReadOnlyModel):
    """A version of the schema: what a run left, as far as that run or one before it made it."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    reason = models.TextField(choices=SnapshotReason)
    #: The files that made this version.
    files = models.JSONField(default=list)
    role = models.TextField()
    #: This package's version and the server's.
    tool = models.TextField()
    server = models.TextField()
    #: How many objects there are of each kind.
    counts = models.JSONField()
    #: The hash of each object's text, by kind and name; compressed.
    objects_read = models.BinaryField(db_column="objects")
    #: That of the catalogs while they were just this; else empty.
    fingerprint = models.TextField(blank=True)
    #: What is changing the schema at the moment, or was ended while it did.
    unfinished = models.JSONField(null=True)

    class Meta:
        managed = False
        db_table = "sqlmigrations_schemasnapshot"
        verbose_name = _("version of the schema")
        verbose_name_plural = _("versions of the schema")
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.id} {self.reason}"


class SchemaText(ReadOnlyModel):
    """What objects of the schema are, as text; each text is kept once."""

    hash = models.TextField(primary_key=True)
    text = models.TextField()
    #: The last version that has it; empty while the newest one does.
    until = models.BigIntegerField(null=True)

    class Meta:
        managed = False
        db_table = "sqlmigrations_schematext"
        verbose_name = _("text of the schema's objects")
        verbose_name_plural = _("texts of the schema's objects")
        ordering = ("hash",)

    def __str__(self) -> str:
        return self.hash


class HealthRunReason(models.TextChoices):
    """Who kept a look at the database's health."""

    ASKED = "asked", _("asked for")
    GATE = "gate", _("the gate of a run")


class HealthRun(ReadOnlyModel):
    """What was measured of the database at one moment; two of them tell how fast something grows."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    reason = models.TextField(choices=HealthRunReason)
    role = models.TextField()
    #: This package's version and the server's.
    tool = models.TextField()
    server = models.TextField()
    #: The server and the database, which a dump does not take along: numbers of two places are never compared.
    place = models.TextField()
    #: When the server was started.
    started_at = models.DateTimeField()
    #: Since when the server counts; a crash or a reset begins anew.
    counting_since = models.DateTimeField(null=True)
    #: How many checks gave each answer.
    summary = models.JSONField()
    #: The numbers; see ``sqlmigrations.health.measures``.
    measured = models.JSONField()

    class Meta:
        managed = False
        db_table = "sqlmigrations_healthrun"
        verbose_name = _("health run")
        verbose_name_plural = _("health runs")
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.id} {self.reason}"


class SchemaExpectation(ReadOnlyModel):
    """What the models of the applied Django migrations expect of the schema; it can be found out again at any time."""

    #: A digest of all that it depends on: migrations, their sources, settings, the server.
    key = models.TextField(primary_key=True)
    at = models.DateTimeField()
    #: The tables with all that models can say of them; compressed.
    expected = models.BinaryField()
    #: That of the catalogs when the schema was last compared with this; else empty.
    fingerprint = models.TextField(blank=True)
    #: What the comparison found.
    verdict = models.JSONField(null=True)

    class Meta:
        managed = False
        db_table = "sqlmigrations_schemaexpectation"
        verbose_name = _("what models expect")
        verbose_name_plural = _("what models expect")
        ordering = ("key",)

    def __str__(self) -> str:
        return self.key


class ReportKind(models.TextChoices):
    """What a kept report is about."""

    VALIDATION = "validation", _("validation")
    HEALTH = "health", _("health")
    REHEARSAL = "rehearsal", _("rehearsal")


class Report(ReadOnlyModel):
    """A validation or a look at the health that was kept, so that the admin shows it without asking again."""

    id = models.BigAutoField(primary_key=True)
    kind = models.TextField(choices=ReportKind)
    at = models.DateTimeField()
    role = models.TextField()
    tool = models.TextField()
    #: The JSON document of the command.
    document = models.JSONField()

    class Meta:
        managed = False
        db_table = "sqlmigrations_report"
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
