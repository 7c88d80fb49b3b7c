"""Objects on mail servers."""
