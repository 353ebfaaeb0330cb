"""The daemon: moves output into logs and serves clients. It may die at any time."""
