"""What is counted while the daemon runs, and the text in which Prometheus reads it."""
