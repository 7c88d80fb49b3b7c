"""Random zone files in all the ways in which people write them, and random changes to them."""

from collections import defaultdict
from pathlib import Path

from hypothesis import strategies as st

from reconciler.formats.zone.record import ZoneSource
from reconciler.formats.zone.source import load
from reconciler.model.change import Change
from reconciler.model.rrset import RRset
from reconciler.products.zonefile.dns import rrsets
from tests.products.zonefile.zones import ORIGIN, SERIAL

OWNERS = ("@", "mail", "WWW", "a.b", "*.w", "_x._tcp", "abs.example.org.", "odd\\.label", "zz")
SPACES = st.sampled_from([" ", "  ", "\t", "\t\t", "       "])
TTLS = st.sampled_from([None, None, "300", "3600", "1h", "2D"])
COMMENTS = st.sampled_from(["", "", " ; why", ";tight", '  ; "quoted (', " "])
RDATA = {
    "A": ("192.0.2.1", "192.0.2.2", "192.0.2.3"),
    "AAAA": ("2001:db8::1", "2001:DB8:0::2"),
    "MX": ("10 mail", "10 other.example.net.", "20 @", "020 Third"),
    "TXT": (
        '"a;b"',
        "plain",
        '"x" "y"',
        '"q\\"q\\\\"',
        '"\\200"',
        '""',
        '"v=spf1 mx -all"',
        f'"{"k" * 255}" "{"l" * 9}"',
    ),
    "SRV": ("0 5 443 www", "1 5 443 mail.example.org."),
    "CAA": ('0 issue "ca.example; policy=x"', '128 iodef "mailto:a@example.org"'),
}
AFTER = {
    "A": ("192.0.2.1", "192.0.2.9", "192.0.2.10"),
    "AAAA": ("2001:db8::1", "2001:db8::9"),
    "MX": ("10 mail.example.org.", "10 mx.new.example.", "30 backup.example.net."),
    "TXT": ("plain", "v=spf1 ip4:192.0.2.0/24 ~all", 'say "hi"; \\\\ \\009', "K" * 300, "", " spaced  out "),
    "SRV": ("0 5 443 www.example.org.", "0 0 1 x.example."),
    "CAA": ('0 issue "other.example"',),
}


@st.composite
def zone_texts(draw: st.DrawFn) -> bytes:
    """A whole zone file; with and without $TTL, CRLF, a last line end."""
    default = draw(st.sampled_from(["$TTL 3600", "$ttl 1h ; usual", "; no default"]))
    soa_ttl = "7200 " if default.startswith(";") else draw(st.sampled_from(["", "900 "]))
    soa = draw(
        st.sampled_from(
            [
                f"@ {soa_ttl}IN SOA ns1 host.example.net. {SERIAL} 1h 15m 4w 300 ; one line",
                f"@ {soa_ttl}SOA ns1 host (\n\t{SERIAL} ; serial\n\t1 ; (\n 2 3\n 4\n)",
                f"example.org. IN {soa_ttl}SOA ns1 host ( ; first\n {SERIAL} 1 2 3 4 ) ; last",
            ]
        )
    )
    lines = [default, soa, " NS ns1", "ns1 A 192.0.2.53"]
    for _ in range(draw(st.integers(0, 5))):
        lines += draw(st.one_of(owner_lines(), owner_lines(), between()))
    if lines[-1].startswith("$"):
        lines.append("last A 192.0.2.99")  # BIND wants a line end after a directive
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = "\n".join(lines) + draw(st.sampled_from(["\n", "\n", "", "\n\n", "\n; end", "\n  "]))
    return text.replace("\n", newline).encode()


def even_zone_texts() -> st.SearchStrategy[bytes]:
    """Those with one TTL in each RRset; where somebody's differ, a change nearby may be refused."""
    return zone_texts().filter(lambda content: rrsets_of(content).keys() == rrsets(source_of(content)).keys())


def between() -> st.SearchStrategy[list[str]]:
    return st.sampled_from(
        [["", "; --- ---"], ["$ORIGIN sub.example.org."], ["$ORIGIN example.org."], ["$TTL 1800"], [" ; x"]]
    )


@st.composite
def owner_lines(draw: st.DrawFn) -> list[str]:
    """The records of one owner, the later ones with or without its name."""
    owner = draw(st.sampled_from(OWNERS))
    lines: list[str] = []
    for rdtype in draw(st.lists(st.sampled_from(sorted(RDATA)), min_size=1, max_size=3)):
        for rdata in draw(st.lists(st.sampled_from(RDATA[rdtype]), min_size=1, max_size=3, unique=True)):
            name = "" if bool(lines) and draw(st.booleans()) else owner
            lines.append(name + draw(record_rest(rdtype, rdata)))
    return lines


@st.composite
def record_rest(draw: st.DrawFn, rdtype: str, rdata: str) -> str:
    head = [draw(TTLS), draw(st.sampled_from([None, "IN", "in"]))]
    if draw(st.booleans()):
        head.reverse()
    words = [word for word in [*head, draw(st.sampled_from([rdtype, rdtype.lower()]))] if word]
    shaped = draw(st.sampled_from([rdata, rdata, rdata, f"( {rdata} )", f"(\n  {rdata} ; in\n)", f"{rdata} (\n)"]))
    return "".join(draw(SPACES) + word for word in [*words, shaped]) + draw(COMMENTS)


def source_of(content: bytes) -> ZoneSource:
    return load(Path("/random/zone.db"), ORIGIN, lambda _path: content)


def rrsets_of(content: bytes) -> dict[str, RRset]:
    """Those whose records have one TTL, as an RRset should (RFC 2181, section 5.2)."""
    ttls: dict[str, set[int]] = defaultdict(set)
    rdata: dict[str, set[str]] = defaultdict(set)
    for record in source_of(content).records:
        if record.rdtype != "SOA":
            name = f"{record.owner} {record.rdtype}"
            ttls[name].add(record.ttl)
            rdata[name].add(record.rdata)
    return {
        name: RRset(name=name, ttl=ttls[name].pop(), rdata=frozenset(rdata[name]))
        for name in ttls
        if len(ttls[name]) == 1
    }


@st.composite
def changes_to(draw: st.DrawFn, content: bytes) -> list[Change]:
    """Up to four changes of different RRsets, existing and new ones."""
    standing = rrsets_of(content)
    taken = {f"{r.owner} {r.rdtype}" for r in source_of(content).records}
    new = [n for n in ("new.example.org. TXT", "mail.example.org. CAA", "x.sub.example.org. MX") if n not in taken]
    names = draw(st.lists(st.sampled_from([*sorted(standing), *new]), min_size=1, max_size=4, unique=True))
    return [draw(change_of(name, standing.get(name))) for name in names]


@st.composite
def change_of(draw: st.DrawFn, name: str, before: RRset | None) -> Change:
    owner, _, rdtype = name.rpartition(" ")
    ttl = draw(st.sampled_from([60, 300, 3600, 1800, *([before.ttl] if before else [])]))
    kept = sorted(before.rdata) if before else []
    pool = [*kept, *AFTER.get(rdtype, kept)]
    rdata = draw(st.frozensets(st.sampled_from(pool), min_size=1, max_size=4))
    after = RRset(name=f"{owner} {rdtype}", ttl=ttl, rdata=rdata)
    return (
        Change(before, None)
        if before and not owner.startswith("ns1.") and rdtype != "NS" and draw(st.integers(0, 3)) == 0
        else Change(before, after)
    )
