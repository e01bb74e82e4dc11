"""Turns grades into tables, figures and pages; calls no model."""
