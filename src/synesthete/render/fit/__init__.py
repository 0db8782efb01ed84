"""Fit presets to pictures."""
