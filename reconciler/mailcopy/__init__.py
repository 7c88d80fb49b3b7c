"""The copier of stored mail, a product of its own: it adds, and has no code that deletes a message anywhere."""
