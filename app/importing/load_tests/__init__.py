"""Results of other load testers, read as cells of a load test."""
