"""A run of production traces over time: what drifted from window to window."""
