"""What all renderers say alike: names of things, what changes, verdicts, what is next."""
