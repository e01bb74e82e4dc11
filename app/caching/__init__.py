"""The response cache as a product: calls from code of a user's own, documents in and out, upkeep."""
