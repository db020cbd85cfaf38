"""Joins the rooms below: the functions that commands, admin, checks and start-up call."""
