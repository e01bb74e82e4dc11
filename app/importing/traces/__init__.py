"""Traces of production (OTLP/JSON with the conventions for generative AI, MLflow) read as answer sheets."""
