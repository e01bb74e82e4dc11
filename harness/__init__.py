"""Runs candidates and keeps what they answered; knows no judge's opinion."""
