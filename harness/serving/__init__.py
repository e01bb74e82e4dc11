"""Serving: load shapes, launched servers, what a GPU hour buys. Calls models, grades nothing."""
