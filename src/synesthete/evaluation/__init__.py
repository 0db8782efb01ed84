"""Measure what a film owes to its music: probes, their nulls, and the certificate."""
