"""dnspython's own reading of zone text, record by record: the second opinion on what we read and write."""

from collections.abc import Iterator
from typing import Any, cast

import dns.name
import dns.rdata
import dns.rdataclass
import dns.tokenizer
import dns.transaction
import dns.zonefile

Parsed = tuple[dns.name.Name, int, dns.rdata.Rdata]


def parsed(text: str, origin: str) -> Iterator[Parsed]:
    """Owner, TTL and rdata of every record, in the order of the text; $INCLUDE is refused.

    Unlike dnspython's zones it keeps each record's own TTL and reads CNAME beside other data, so that a faulty zone
    can be looked at.

    Raises:
        dns.exception.DNSException: the text is not a zone file.

    """
    collected = _Collected(
        dns.zonefile.RRSetsReaderManager(dns.name.from_text(origin), relativize=False), replacement=True
    )
    tokenizer = dns.tokenizer.Tokenizer(text, "zone")
    dns.zonefile.Reader(tokenizer, dns.rdataclass.IN, collected).read()
    return iter(collected.records)


class _Collected(dns.zonefile.RRsetsReaderTransaction):
    """A transaction that remembers and decides nothing."""

    def __init__(self, manager: Any, *, replacement: bool) -> None:
        super().__init__(manager, replacement, False)  # type: ignore[no-untyped-call]  # dnspython's own
        self.records: list[Parsed] = []

    def add(self, *args: Any) -> None:
        self.records.append(cast("Parsed", args))  # the reader calls add(name, ttl, rdata)
