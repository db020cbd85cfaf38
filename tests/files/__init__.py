"""Tests of the room that reads SQL files."""

from __future__ import annotations
