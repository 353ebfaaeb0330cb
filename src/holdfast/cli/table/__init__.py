"""The commands of `hold`, by what they are for."""
