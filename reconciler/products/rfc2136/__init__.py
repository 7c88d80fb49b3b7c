"""Dynamic updates (RFC 2136) signed with TSIG: BIND, Knot, PowerDNS and others."""
