"""Products that keep zones."""
