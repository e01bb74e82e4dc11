"""Feedback of users: taken in, and told."""
