"""Where the example's database is: ``DATABASE_URL``, or an embedded PostgreSQL of the checkout's own."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from project.env import BASE_DIR, env

#: The folder of the embedded server (git-ignored).
FOLDER = BASE_DIR / ".postgres"

#: The database that is made in it.
DATABASE = "example"


def database_url(database: str = "") -> str:
    """Return the URL of the database, or of another one on the same server.

    The embedded server is started if ``DATABASE_URL`` names none and it isn't running.

    Raises:
        ServerError: the embedded server can't be started.
    """
    url: str = env.str("DATABASE_URL", default="") or _embedded_url()
    if not database:
        return url
    parts = urlsplit(url)
    # The path of a unix socket's URL has the socket's folder before the name: postgres://user@//folder/name
    folder, _, _ = parts.path.rpartition("/")
    return parts._replace(path=f"{folder}/{quote(database)}").geturl()


def _embedded_url() -> str:
    # Only here: a deployment with DATABASE_URL neither has nor needs an embedded server.
    from project.postgres.server import Server

    server = Server(FOLDER)
    server.start(DATABASE)
    return server.url(DATABASE)
