"""ManageSieve (RFC 5804): the client, a session as a user, its options."""
