"""Zone files (RFC 1035, section 5): read with every octet known, and changed line by line."""
