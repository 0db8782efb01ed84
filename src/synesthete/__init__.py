"""Synesthete turns music into film."""

__version__ = "0.1.0"
