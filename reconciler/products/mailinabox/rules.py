"""What a Mail-in-a-Box serves for its own records and a person's custom ones together.

It makes records of its own for every mail domain. A custom record stands beside them, or in their place if it begins as
the box expects; that takes the very spelling (``v=DMARC1; `` with the blank). Pure.

Source: Mail-in-a-Box 75, management/dns_update.py, build_zone.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from reconciler.model.change import Change
from reconciler.model.rrset import RRset, octets_of

TTL: Final = 86400  # seconds, of every record; there is no way to set another
_TYPES: Final = ("A", "AAAA", "CNAME", "TXT", "SRV", "MX", "SSHFP", "CAA", "NS")
_DMARC, _DKIM = "_dmarc.", "mail._domainkey."
_BEGINS: Final = {_DMARC: "v=DMARC1; ", _DKIM: "v=DKIM1; "}  # of a text that stands in the place of the box's own
_SPF: Final = "v=spf1 "
_MX: Final = "10 "
_PRINTABLE: Final = range(0x20, 0x7F)


@dataclass(frozen=True, slots=True)
class Own:
    """What the box makes by itself at one name and type, where nothing replaces it; rdata in normal form.

    ``of_mail``: the name belongs to a domain that it takes mail for.
    """

    owner: str
    rdtype: str
    of_mail: bool
    rdata: frozenset[str] = frozenset()

    def left(self, custom: Iterable[str]) -> frozenset[str]:
        """Those of its own records that these custom ones do not replace."""
        begins = {beginning for text in custom if (beginning := self.replaces(text)) is not None}
        return frozenset(text for text in self.rdata if self.replaces(text) not in begins)

    def served(self, custom: Collection[str]) -> frozenset[str]:
        """All that the name server gives out."""
        return frozenset(custom) | self.left(custom)

    def custom_for(self, wanted: frozenset[str]) -> frozenset[str] | None:
        """The custom records with which exactly that is served, as few as will do; None if there are none."""
        return next((found for found in (wanted - self.rdata, wanted) if self.served(found) == wanted), None)

    def replaces(self, text: str) -> str | None:
        """Which of the box's own records this one stands in the place of: how they begin; None if of none."""
        if self.rdtype == "MX" and self.of_mail:
            begins = _MX
        elif self.rdtype == "TXT" and not self.owner.startswith(("_mta-sts.", "_smtp._tls.")):
            begins = next((begins for label, begins in _BEGINS.items() if self.owner.startswith(label)), _SPF)
        else:
            begins = ""
        return begins if text.startswith(begins) else None


def expected(owner: str, rdtype: str, mail_domains: Collection[str], primary: str) -> Own:
    """What the box makes for its mail domains (absolute), as far as that is the same on every box."""
    domain = owner.removeprefix(_DMARC).removeprefix(_DKIM)
    of_mail = domain in mail_domains
    own = {
        (domain, "MX"): f"10 {primary}",
        (domain, "TXT"): "v=spf1 mx -all",
        (f"{_DMARC}{domain}", "TXT"): "v=DMARC1; p=quarantine;",
    }.get((owner, rdtype))
    return Own(owner, rdtype, of_mail, frozenset({own}) if own and of_mail else frozenset())


def impossible(change: Change, domain: str) -> str | None:
    """Why the box's API cannot make a change in the zone of a mail domain (absolute); None if it can."""
    after, (owner, _, rdtype) = change.after, change.address.name.rpartition(" ")
    if rdtype not in _TYPES or (rdtype == "NS" and owner == domain):
        return f"its API has no records of type {rdtype} for {owner}"
    wanted = after.rdata if isinstance(after, RRset) else frozenset[str]()
    before = change.before.rdata if isinstance(change.before, RRset) else frozenset[str]()
    for text in wanted - before:
        try:
            body(rdtype, text)
        except ValueError as error:
            return f"{text!r} cannot be set: {error}"
    return _not_alone(owner, rdtype, wanted, domain)


def body(rdtype: str, rdata: str) -> str:
    """Rdata in normal form as the API takes it: a TXT without quotes and escapes.

    Raises:
        ValueError: the box would store something else.

    """
    if rdtype != "TXT":
        return rdata
    octets = octets_of(rdata)
    if any(octet not in _PRINTABLE for octet in octets):
        raise ValueError("it has characters outside printable ASCII, which the box drops without a word")
    text = octets.decode("ascii")
    if text != text.strip() or not text:
        raise ValueError("it is empty, or begins or ends with a blank, which the box takes away")
    return text


def _not_alone(owner: str, rdtype: str, wanted: frozenset[str], domain: str) -> str | None:
    """The box's own record that would go on standing beside what is wanted."""
    if (owner, rdtype) == (domain, "MX") and not any(text.startswith(_MX) for text in wanted):
        return (
            "it goes on serving its own MX unless one with preference 10 is in its place, and mail would go there too: "
            "give an exchange the preference 10, at the old DNS host and in the spec, or let another DNS host keep the "
            "zone during the move"
        )
    begins = {domain: _SPF, f"{_DMARC}{domain}": _BEGINS[_DMARC], f"{_DKIM}{domain}": _BEGINS[_DKIM]}.get(owner)
    if rdtype == "TXT" and begins and not any(text.startswith(begins) for text in wanted):
        return (
            f"it goes on serving its own text at {owner} unless one that begins with {begins!r}, the blank too, is in "
            "its place; two of them are as good as none"
        )
    return None
