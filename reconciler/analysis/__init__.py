"""What checks, probes and the planner share: pure readings of the zone, the caches, the mail and a plan's changes."""
