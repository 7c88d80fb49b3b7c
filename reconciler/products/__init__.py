"""Where things are kept: one product a folder, with server.py, dns.py or both. Products do not know one another."""
