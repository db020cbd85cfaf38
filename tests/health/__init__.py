"""Tests of the health checks, on a database of its own for each test."""
