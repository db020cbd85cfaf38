"""Rules over parsed statements: what would stop others, fail or lose something, told before it runs."""
