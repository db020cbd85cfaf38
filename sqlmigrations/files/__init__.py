"""What stands on disk: SQL files, their directives, statements and footprints. No database here."""
