"""Corpora, chunks, embedders, indexes and retrievers: what a candidate is given to read, and the sweep over it."""
