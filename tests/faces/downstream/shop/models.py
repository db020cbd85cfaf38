"""The shop's models."""

from __future__ import annotations

from django.db import models


class Customer(models.Model):
    """Somebody who buys."""

    name = models.TextField()

    def __str__(self) -> str:
        return self.name
