"""Seam 1, the wire: chat models, hosted, OpenAI-compatible, scripted."""
