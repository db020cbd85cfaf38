"""The migrations of the one table that Django makes."""
