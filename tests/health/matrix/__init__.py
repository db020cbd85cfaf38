"""What each health check answers: of a database with nothing to examine, of one that is well and of one that is ill."""
