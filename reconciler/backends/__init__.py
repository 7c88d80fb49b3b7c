"""WHERE: the only packages that open a socket, run a program or touch a file."""
