"""`python -m markscheme.app.cli`."""

from .main import main

main()
