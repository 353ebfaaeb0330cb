"""The rules of a session, without a clock, a file or a socket."""
