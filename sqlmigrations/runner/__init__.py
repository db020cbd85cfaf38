"""Does things to the database: the lock, the session, sending statements, applying one file."""
