"""Files that tests of services apply."""

from __future__ import annotations

#: One of them fails.
FILES = {"001.sql": "CREATE TABLE one (id int);", "002.sql": "SELECT 1/0;", "003.sql": "CREATE TABLE three (id int);"}
