"""Values: no I/O, no clock, nothing that can fail later than in its constructor."""
