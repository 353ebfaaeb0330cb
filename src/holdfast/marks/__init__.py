"""What ran in a session, as records of commands and as text about them. Touches nothing."""
