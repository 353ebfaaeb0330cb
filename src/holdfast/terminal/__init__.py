"""What `hold` does with a terminal: keys to a session, its output to the screen."""
