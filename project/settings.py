"""Settings of the example project, for development and production alike.

Everything that differs between machines comes from the environment (or a git-ignored ``.env``):

===================  ==================================================================================
``DATABASE_URL``     the PostgreSQL server; without it an embedded one is started below ``.postgres/``
``DEBUG``            false unless said otherwise; ``make demo`` writes ``DEBUG=true`` into ``.env``
``SECRET_KEY``       needed
``ALLOWED_HOSTS``    comma-separated; with ``DEBUG``, this machine alone
``SQL_AUTO_APPLY``   apply pending SQL files when a server starts (``wsgi.py``); else as ``DEBUG``
``LOG_LEVEL``        what the log of ``sqlmigrations`` shows; servers (``wsgi.py``) take INFO
===================  ==================================================================================
"""

from __future__ import annotations

from project.env import BASE_DIR, env
from project.postgres import database_url

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "sqlmigrations",
    "project.tabletop",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "project.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "build" / "static"

DATABASES = {"default": env.db_url_config(database_url())}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"

SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG

# Commands say on the screen what they do; servers log it.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"sqlmigrations": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="CRITICAL")}},
}

SQLMIGRATIONS_DIRS = [BASE_DIR / "migrations_sql"]
SQLMIGRATIONS_PRODUCTION = not DEBUG
SQLMIGRATIONS_ADMIN_ACTIONS = DEBUG
