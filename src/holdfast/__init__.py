"""Holdfast keeps interactive programs alive and lets viewers come and go."""

__version__ = "0.1.0"
