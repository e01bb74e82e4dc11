"""The commands as functions: what `markscheme …` does and prints, done and returned."""
