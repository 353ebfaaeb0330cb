"""The web host: the same sessions in a browser. One more client of the daemon, no more."""
