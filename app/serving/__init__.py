"""Load tests and launched servers: what `serve-bench` does once its words are parsed."""
