"""What mail servers keep in files: passwd-file, Postfix maps, Sieve, OpenDKIM, hashes, quota rules."""
