"""The project's only app: a model, and SQL that builds on its table."""
