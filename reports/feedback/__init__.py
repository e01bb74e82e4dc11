"""What users said of answers: acceptance over time, and how well judges predict it."""
