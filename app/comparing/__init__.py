"""Run against run: what `compare`, `gate plan` and `history` do once their words are parsed."""
