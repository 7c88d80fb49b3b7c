"""Use cases without a terminal: they return values, raise errors, and tell events."""
