"""Clear, forget and du: what a person asks of what is kept."""
