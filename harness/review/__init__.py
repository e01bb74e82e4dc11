"""Reviews by people: which answers are shown to whom, in which order, and what they said."""
