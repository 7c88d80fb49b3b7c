"""Mail-in-a-Box, by its management API: users, quotas, aliases, custom DNS."""
