"""The basic cases that other tools get wrong, each named after those that do.

The SQL of the tools was run, or read, in these versions: PgHero 4.0, pg-extras, check_postgres, splinter, dblinter,
pgdoctor 0.6, pg-index-health, postgres_dba 7.0, plain-postgres, check_pgactivity. How long counters have run, after a
restart and after a crash, is in ``test_window.py``.
"""
