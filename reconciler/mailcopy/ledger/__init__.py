"""The ledger: what became of each message of the source, in SQLite beside the spec."""
