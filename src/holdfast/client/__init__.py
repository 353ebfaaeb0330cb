"""The client's side: reaches the daemon, starts it when needed, comes back when it died."""
