"""The only place that schedules calls: limits, retries, the pool."""
