"""Mail copied from IMAP server to IMAP server."""
