"""Files that tests of runs apply."""

from __future__ import annotations

#: Fails until the sequence says the given number; a sequence keeps its value through a rollback.
STUBBORN = """
CREATE TABLE t (id int);
INSERT INTO t VALUES (1);
DO $$
BEGIN
    IF nextval('tries') < {number} THEN
        RAISE EXCEPTION 'not yet' USING ERRCODE = '{sqlstate}';
    END IF;
END
$$;
"""

#: Two files that have nothing to do with each other.
TWO = {"001.sql": "CREATE TABLE one (id int)", "002.sql": "CREATE TABLE two (id int)"}
