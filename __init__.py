"""Grade models with a judge you have graded first."""
