"""What came of a review by people, as pages."""
