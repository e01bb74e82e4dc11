"""Seam 2: anything that answers a sample."""
