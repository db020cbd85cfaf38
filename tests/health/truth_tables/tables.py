"""Tables of which more than one truth is asked."""

from __future__ import annotations

FAMILY = """
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, p_id int CONSTRAINT child_fk REFERENCES parent, active bool);
"""
