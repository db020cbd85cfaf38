"""The Django side of the example: models beside tables that SQL files make."""
