"""WHAT: the kinds of things that exist, one a file: its model and what the spec desires of it at each stage."""
