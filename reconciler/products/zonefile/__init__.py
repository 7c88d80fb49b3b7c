"""Zone files on this machine, as BIND, NSD and Knot read them."""
