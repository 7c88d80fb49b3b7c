"""One machine behind SSH as a Transport: connection, host keys, programs instead of SFTP."""
