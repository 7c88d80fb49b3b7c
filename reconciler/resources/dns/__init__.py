"""Records in the domain's zone."""
