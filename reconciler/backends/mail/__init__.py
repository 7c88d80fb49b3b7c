"""Mail over IMAP: read on one server, added on the other, never deleted anywhere."""
