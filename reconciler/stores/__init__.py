"""Files kept on a mail server, through a Transport: line files, Sieve, OpenDKIM; and Sieve by ManageSieve."""
