"""The visual language: for now its palettes."""
