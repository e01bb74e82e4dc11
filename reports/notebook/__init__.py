"""Results as fragments of HTML for the output of a notebook's cell: no script, and light or dark as the notebook is."""
