"""Mail by its files: a Maildir or mbox is read, a Maildir is added to, nothing is ever deleted."""
