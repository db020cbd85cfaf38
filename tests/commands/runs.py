"""What tests of ``applysql`` share: folders of files, and what a call wrote."""

from __future__ import annotations

from tests.helpers import Ran

HEAD = "Head of the history: <hash>\n"

ORDINARY = {
    "001_users.sql": "CREATE TABLE users (id int);\nINSERT INTO users VALUES (1), (2);\n",
    "002_posts.sql": "CREATE TABLE posts (id int)",
    "repeatable/active.sql": "CREATE OR REPLACE VIEW active AS SELECT * FROM users;\n",
    "seed/test_data.sql": "INSERT INTO posts VALUES (1);",
}

#: One is broken, two build on it.
SIX = {
    "001_users.sql": "CREATE TABLE users (id int);",
    "002_posts.sql": "CREATE TABLE posts (id int);\nINSERT INTO posts (idd) VALUES (1);\n",
    "003_comments.sql": "CREATE TABLE comments (id int);\nALTER TABLE posts ADD comments int;",
    "004_tags.sql": "CREATE TABLE tags (id int);",
    "005_users_email.sql": "ALTER TABLE users ADD email text;",
    "006_comments_index.sql": "CREATE INDEX comments_id ON comments (id);",
}


def out(ran: Ran, code: int = 0) -> str:
    """Return what a call wrote to stdout; it must have written nothing else."""
    assert (ran.err, ran.code) == ("", code)
    return ran.out
