"""Decode, encode and multiplex media; the only room that knows PyAV (FFmpeg)."""
