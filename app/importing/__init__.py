"""Results of other tools, read as answer sheets, grades and labels."""
