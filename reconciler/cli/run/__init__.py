"""What each command does: it calls a use case of ``app`` and says what came of it, in words and an exit code."""
