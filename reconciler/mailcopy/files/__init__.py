"""Mail copied as files: Maildir to Maildir, and mbox as a source, on this machine or over SSH."""
