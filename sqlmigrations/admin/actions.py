"""Actions that change the database: each shows what it will do, is confirmed, and is followed while it goes on.

They are offered where ``SQLMIGRATIONS_ADMIN_ACTIONS`` is set, to those who have the permission of each.
Every process of a project with an admin imports this module, and few show a page: each page imports what it needs.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from sqlmigrations.admin.databases import database_of, query_of
from sqlmigrations.admin.readonly import ShowsSQLMixin
from sqlmigrations.conf import settings
from sqlmigrations.exceptions import SQLMigrationsError
from sqlmigrations.models import MigrationEvent

if TYPE_CHECKING:
    from sqlmigrations.service.actions import Asked, Foreseen

#: The permission that each action asks for.
PERMISSIONS = {
    "apply": "apply",
    "retry": "apply",
    "revert": "revert",
    "fake": "fake",
    "validate": "validate",
    "examine": "examine",
    "accept": "accept",
}

#: Actions that are about one file.
OF_FILE = ("retry", "revert", "fake")

#: Events of a run that its page shows, the newest.
SHOWN = 200


class ActionPagesMixin(ShowsSQLMixin):
    """Confirmation and progress of each action, below the address of the SQL migrations."""

    #: The actions that are offered, to those who may.
    offered_actions: tuple[str, ...] = tuple(PERMISSIONS)

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of actions in front of the model's own."""
        site = self.admin_site
        own = [
            path("act/<str:action>/", site.admin_view(self.action_view), name=self._action_url_name("act")),
            path("progress/<uuid:token>/", site.admin_view(self.progress_view), name=self._action_url_name("progress")),
        ]
        return [*own, *super().get_urls()]

    def _action_url_name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def has_action_permission(self, request: HttpRequest, action: str) -> bool:
        """Tell whether an action is offered, and to this user."""
        permission = f"{self.opts.app_label}.{PERMISSIONS.get(action, '')}_{self.opts.model_name}"
        is_offered = bool(settings.ADMIN_ACTIONS) and action in self.offered_actions
        return is_offered and self.has_view_permission(request) and request.user.has_perm(permission)

    def action_url(self, request: HttpRequest, action: str, database: str, name: str = "") -> str:
        """Return the address where an action is confirmed; nothing if this user may not do it."""
        if not self.has_action_permission(request, action):
            return ""
        query = {**query_of(database), **({"name": name} if name else {})}
        return reverse(f"{self.admin_site.name}:{self._action_url_name('act')}", args=[action], query=query)

    def action_urls(self, request: HttpRequest, database: str, name: str = "") -> dict[str, str]:
        """Return the addresses of all actions that this user may do, those about a file for ``name``."""
        return {
            action: self.action_url(request, action, database, name if action in OF_FILE else "")
            for action in self.offered_actions
            if name or action not in OF_FILE
        }

    # The confirmation

    @transaction.non_atomic_requests  # each file is committed with its own record
    def action_view(self, request: HttpRequest, action: str) -> HttpResponse:
        """Show what an action will do; once that is confirmed, start it and lead to the page that follows it."""
        from sqlmigrations.service.actions import Action, Asked, asked_for, foresee

        if action not in PERMISSIONS:
            raise Http404(f"No such action: {action}")
        if not self.has_action_permission(request, action):
            raise PermissionDenied
        name = request.GET.get("name", "")
        if (action in OF_FILE) is not bool(name):
            raise Http404("No file is named")
        names = (name,) if name else ()
        asked = Asked(Action(action), database_of(request), names, user=request.user.get_username())
        token = _token(request)
        if token is not None and asked_for(token, asked.database) is not None:
            # A second click leads to the work that goes on, and starts nothing.
            return HttpResponseRedirect(self.run_url(asked.database, str(token)))
        foreseen, problem = None, None
        try:
            foreseen = foresee(asked)
        except SQLMigrationsError as error:
            problem = error
        if token is not None and foreseen is not None and self._begin(request, foreseen, token):
            return HttpResponseRedirect(self.run_url(asked.database, str(token)))
        return self._confirmation(request, asked, foreseen, problem)

    def _begin(self, request: HttpRequest, foreseen: Foreseen, token: uuid.UUID) -> bool:
        """Start what was confirmed; return False, with a message, where it has to be looked at once more."""
        from sqlmigrations.admin.launch import launch
        from sqlmigrations.output.phrases import trouble
        from sqlmigrations.service.actions import submit

        reason = request.POST.get("reason", "").strip()
        if foreseen.asked.action == "accept" and not reason:
            messages.error(request, _("Say why the schema is accepted as it is."))
            return False
        asked = replace(foreseen.asked, reason=reason, fingerprint=foreseen.fingerprint)
        if request.POST.get("fingerprint") != asked.fingerprint:
            messages.warning(request, _("What would be done has changed in the meantime. Look at it again."))
            return False
        try:
            if submit(asked, token):
                launch(asked, token)
        except SQLMigrationsError as error:
            problem = trouble(error)
            messages.error(request, "\n  ".join(filter(None, (problem.message, problem.hint))))
            return False
        return True

    def run_url(self, database: str, run: str) -> str:
        """Return the address of the page that follows a run which was asked for here."""
        name = f"{self.admin_site.name}:{self._action_url_name('progress')}"
        return reverse(name, args=[run], query=query_of(database))

    def _confirmation(
        self, request: HttpRequest, asked: Asked, foreseen: Foreseen | None, problem: SQLMigrationsError | None
    ) -> HttpResponse:
        from sqlmigrations.output.actions_page import command_line, confirmation_of
        from sqlmigrations.output.phrases import trouble

        page = confirmation_of(asked, foreseen, self.sql_html)
        context = {
            **self._action_context(request, asked.database, page.title),
            "page": page,
            "problem": trouble(problem) if problem else None,
            "command": command_line(asked),
            "token": uuid.uuid4(),
            "fingerprint": foreseen.fingerprint if foreseen else "",
            "needs_reason": asked.action == "accept",
        }
        return TemplateResponse(request, "admin/sqlmigrations/actions/confirm.html", context)

    # The progress

    def progress_view(self, request: HttpRequest, token: uuid.UUID) -> HttpResponse:
        """Show how far something has come that was asked for."""
        from sqlmigrations.output.actions_page import progress_of
        from sqlmigrations.service.actions import asked_for

        if not self.has_view_permission(request):
            raise PermissionDenied
        database = database_of(request)
        asked = asked_for(token, database)
        if asked is None:
            raise Http404(f"Nobody asked for {token}")
        events = MigrationEvent.objects.using(database).filter(run=token)
        latest = events.defer("timings", "notices", "blockers").order_by("-id")[:SHOWN]
        page = progress_of(asked, list(reversed(latest)))
        context = {
            **self._action_context(request, database, page.title),
            "page": page,
            "after_url": self._after_url(asked),
        }
        return TemplateResponse(request, "admin/sqlmigrations/actions/progress.html", context)

    def _after_url(self, asked: Asked) -> str:
        """Return the page that shows what came of an action."""
        page = {"validate": "drift", "accept": "drift", "examine": "health"}.get(asked.action, "overview")
        return self._state_url(page, asked.database)

    # Both

    def _state_url(self, page: str, database: str) -> str:
        """Return the address of a page about a database; of the list of migrations where there is no such page."""
        if page not in getattr(self, "state_pages", ()):
            page = "changelist"
        return reverse(f"{self.admin_site.name}:{self._action_url_name(page)}", query=query_of(database))

    def _action_context(self, request: HttpRequest, database: str, title: str) -> dict[str, Any]:
        request.current_app = self.admin_site.name
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": title,
            "database": database,
            "home_url": self._state_url("overview", database),
            "has_overview": "overview" in getattr(self, "state_pages", ()),
        }


def _token(request: HttpRequest) -> uuid.UUID | None:
    """Return the token of a confirmation that was sent; nothing for a page that is only looked at."""
    if request.method != "POST":
        return None
    try:
        return uuid.UUID(request.POST.get("token", ""))
    except ValueError:
        return None
