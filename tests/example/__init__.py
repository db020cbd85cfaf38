"""The example: its SQL files by ``psql`` alone, its models beside them."""
