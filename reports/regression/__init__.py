"""Run against run: paired differences, gates, trends, and the pages that show them."""
