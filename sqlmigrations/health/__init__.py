"""Checks of integrity and performance."""
