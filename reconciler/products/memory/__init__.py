"""Nothing real: for rehearsing a spec, and for tests."""
