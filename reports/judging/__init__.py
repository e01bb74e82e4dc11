"""Pages about judges: alignment with people, probes, the lab."""
