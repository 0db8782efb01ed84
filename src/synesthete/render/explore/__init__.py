"""Explore looks: contact sheets and mosaics of many at once, and new ones bred from those that please."""
