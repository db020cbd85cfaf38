"""Three tables that SQL files make, and one that Django makes.

``Player``, ``GameSystem`` and ``Campaign`` are unmanaged: ``migrations_sql/`` makes and changes their tables, and a
model says what is there, in Django's words. Its defaults are the database's own (``db_default``), its constraints carry
the database's names, so that a form finds out before the database has to refuse.

``Announcement`` is an ordinary model with ordinary migrations.
"""

from __future__ import annotations

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class Player(models.Model):
    """A person who plays or leads campaigns: a row of ``users``, not one of Django's users."""

    id = models.UUIDField(_("id"), primary_key=True, db_default=RandomUUID(), editable=False)
    created_at = models.DateTimeField(_("created at"), db_default=TransactionNow(), editable=False)
    # A trigger sets it on every UPDATE, whatever a model has in memory.
    updated_at = models.DateTimeField(_("updated at"), db_default=TransactionNow(), editable=False)
    display_name = models.TextField(_("name"))
    properties = models.JSONField(_("properties"), db_default=models.Value({}, models.JSONField()), blank=True)
    email = models.TextField(_("e-mail address"))

    class Meta:
        managed = False
        db_table = "users"
        verbose_name = _("player")
        verbose_name_plural = _("players")
        ordering = ("display_name",)
        constraints = (
            models.UniqueConstraint(
                Lower("email"),
                name="users_email_key",
                violation_error_message=_("Somebody signs in with this address already."),
            ),
        )

    def __str__(self) -> str:
        return self.display_name


class GameSystem(models.Model):
    """A set of rules that campaigns can be played by: a row of ``game_systems``."""

    created_at = models.DateTimeField(_("created at"), db_default=TransactionNow(), editable=False)
    is_offered = models.BooleanField(
        _("offered"), db_default=True, help_text=_("Whether new campaigns may choose it; old ones keep what they have.")
    )
    code = models.TextField(_("code"), primary_key=True)
    name = models.TextField(_("name"))

    class Meta:
        managed = False
        db_table = "game_systems"
        verbose_name = _("game system")
        verbose_name_plural = _("game systems")
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("name",), name="game_systems_name_key"),)

    def __str__(self) -> str:
        return self.name


class Campaign(models.Model):
    """A story that a group plays over many sessions: a row of ``campaigns``."""

    class State(models.TextChoices):
        """How far a campaign has come."""

        PLANNED = "planned", _("planned")
        ACTIVE = "active", _("active")
        PAUSED = "paused", _("paused")
        COMPLETED = "completed", _("completed")
        ABANDONED = "abandoned", _("abandoned")

    id = models.UUIDField(_("id"), primary_key=True, db_default=RandomUUID(), editable=False)
    game_master = models.ForeignKey(
        Player, on_delete=models.PROTECT, related_name="led_campaigns", verbose_name=_("game master")
    )
    created_at = models.DateTimeField(_("created at"), db_default=TransactionNow(), editable=False)
    # A trigger sets it on every UPDATE, whatever a model has in memory.
    updated_at = models.DateTimeField(_("updated at"), db_default=TransactionNow(), editable=False)
    state = models.TextField(_("state"), choices=State, db_default=State.PLANNED)
    name = models.TextField(_("name"))
    description = models.TextField(_("description"), db_default="", blank=True)
    properties = models.JSONField(
        _("properties"),
        db_default=models.Value({}, models.JSONField()),
        blank=True,
        help_text=_("House rules and whatever the game system asks for."),
    )
    slug = models.TextField(_("slug"), help_text=_("The name as it appears in addresses."))
    game_system = models.ForeignKey(
        GameSystem,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_column="game_system_code",
        related_name="campaigns",
        verbose_name=_("game system"),
        help_text=_("Empty for rules of the table's own making."),
    )

    class Meta:
        managed = False
        db_table = "campaigns"
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ("-updated_at",)
        constraints = (
            models.UniqueConstraint(fields=("slug",), name="campaigns_slug_key"),
            models.CheckConstraint(
                condition=models.Q(slug__regex=r"^[a-z0-9]+(-[a-z0-9]+)*$"),
                name="campaigns_slug_check",
                violation_error_message=_("Small letters, digits and single hyphens between them, please."),
            ),
        )

    def __str__(self) -> str:
        return self.name


class Announcement(models.Model):
    """What a game master tells the group; a table of Django's own beside those of the SQL files."""

    # No constraint in the database: Django's migrations run before the SQL files, so `campaigns` need not exist yet
    # when this table is made. Django removes announcements with their campaign; whoever deletes campaigns by SQL
    # leaves some behind, which no query that joins the campaign shows.
    campaign = models.ForeignKey(
        Campaign,
        on_delete=models.CASCADE,
        db_constraint=False,
        related_name="announcements",
        verbose_name=_("campaign"),
    )
    title = models.CharField(_("title"), max_length=200)
    body = models.TextField(_("text"), blank=True)
    published_at = models.DateTimeField(
        _("published at"), null=True, blank=True, help_text=_("Empty as long as only the game master sees it.")
    )

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        ordering = ("-published_at",)

    def __str__(self) -> str:
        return self.title
