"""Compares the live schema with what it should be."""
