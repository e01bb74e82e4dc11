"""The top floor: workflow, command line, Python API. Decides nothing, only calls."""
