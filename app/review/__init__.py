"""Human raters: the page that they grade on, their spreadsheets, and what came of it."""
