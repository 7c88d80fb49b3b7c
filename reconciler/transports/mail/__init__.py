"""Mail services as the world and their users reach them: SMTP to ask, submission and IMAP to test."""
