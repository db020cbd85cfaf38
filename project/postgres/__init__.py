"""Where the example's database is: ``DATABASE_URL``, or an embedded PostgreSQL of the checkout's own."""

from __future__ import annotations

from project.env import BASE_DIR, env

#: The folder of the embedded server (git-ignored).
FOLDER = BASE_DIR / ".postgres"

#: The database that is made in it.
DATABASE = "example"


def database_url() -> str:
    """Return the URL of the database; start the embedded server if ``DATABASE_URL`` names none and it isn't running.

    Raises:
        ServerError: the embedded server can't be started.
    """
    url: str = env.str("DATABASE_URL", default="")
    if url:
        return url
    # Only here: a deployment with DATABASE_URL neither has nor needs an embedded server.
    from project.postgres.server import Server

    server = Server(FOLDER)
    server.start(DATABASE)
    return server.url(DATABASE)
