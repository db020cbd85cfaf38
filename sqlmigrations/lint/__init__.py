"""Rules over parsed statements, judged before they run."""
