"""The command line."""

from synesthete.cli.app import main

__all__ = ["main"]
