"""Questions to name servers and resolvers, transfers and their keys."""
