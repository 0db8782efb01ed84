"""Hear: audio features and the Timeline."""
