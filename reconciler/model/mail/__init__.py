"""Mail as it is carried from one server to the other: pure values and decisions, no I/O."""
