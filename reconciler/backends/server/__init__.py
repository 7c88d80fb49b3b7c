"""Mail server products."""
