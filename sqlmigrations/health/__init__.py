"""Health checks: each asks one database one question, changes nothing, and says what it could not see."""
