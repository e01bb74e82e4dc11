"""The lab: which judge is good enough, by labels, and the cheapest of these."""
