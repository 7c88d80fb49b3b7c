"""Which changes a check holds back: what a change does, told from the change alone."""

from collections.abc import Iterator
from typing import Final

from reconciler.analysis.addresses import takes_mail
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.rrset import RRset
from reconciler.model.spf import is_spf
from reconciler.resources.server.mailbox import Mailbox
from reconciler.resources.server.sieve import SieveScript

_ROUTING: Final = frozenset({"MX", "A", "AAAA"})
_TAKES_MAIL: Final = frozenset({"domain", "mailbox", "alias", "catch_all"})
_SENDS_ON: Final = frozenset({"alias", "catch_all", "sieve"})


def nothing(_change: Change) -> bool:
    """The check only tells."""
    return False


def is_rrset(change: Change) -> bool:
    """A change of the zone."""
    return isinstance(change.subject, RRset)


def redirects(change: Change) -> bool:
    """The world delivers to another place: MX or addresses of a host, more than their TTL."""
    return _rdtype(change) in _ROUTING and _rdata(change.before) != _rdata(change.after)


def sets_mx(change: Change) -> bool:
    """An MX gets other exchanges."""
    return _rdtype(change) == "MX" and redirects(change)


def changes_spf(change: Change) -> bool:
    """An SPF record gets another text, appears or goes."""
    return _rdtype(change) == "TXT" and _spf(change.before) != _spf(change.after)


def changes_dmarc(change: Change) -> bool:
    """A DMARC record gets another text, appears or goes."""
    return (
        _rdtype(change) == "TXT"
        and change.address.name.startswith("_dmarc.")
        and _rdata(change.before) != _rdata(change.after)
    )


def changes_key_record(change: Change) -> bool:
    """A DKIM record gets another text, appears or goes."""
    return _is_key_record(change) and _rdata(change.before) != _rdata(change.after)


def publishes_key(change: Change) -> bool:
    """A DKIM record gets a text that it did not have."""
    return _is_key_record(change) and not _rdata(change.after) <= _rdata(change.before)


def changes_ttl(change: Change) -> bool:
    """An RRset keeps its data and gets another TTL."""
    before, after = change.before, change.after
    return isinstance(before, RRset) and isinstance(after, RRset) and before.rdata == after.rdata


def raises_ttl(change: Change) -> bool:
    """An RRset keeps its data and will stay longer in caches."""
    before, after = change.before, change.after
    return isinstance(before, RRset) and isinstance(after, RRset) and changes_ttl(change) and before.ttl < after.ttl


def ends_forward(change: Change) -> bool:
    """A mailbox on the new server stops sending copies where it sent them."""
    target = _forward(change.before)
    return target is not None and change.address.place is Place.NEW and _forward(change.after) != target


def removes_from_new(change: Change) -> bool:
    """The new server stops taking mail for an address or the domain: only a rollback does that."""
    return takes_address_away(change) and change.address.place is Place.NEW


def takes_address_away(change: Change) -> bool:
    """A server stops taking mail for an address or the domain."""
    if change.address.kind not in _TAKES_MAIL or change.before is None or not takes_mail(change.before):
        return False
    return change.after is None or not takes_mail(change.after)


def sends_on(change: Change) -> bool:
    """An alias, catch-all or Sieve script is made or changed on the new server."""
    after = change.after
    return after is not None and after.place is Place.NEW and after.kind in _SENDS_ON and takes_mail(after)


def sets_catch_all(change: Change) -> bool:
    """The new server gets a catch-all."""
    return sends_on(change) and change.address.kind == "catch_all"


def makes_key(change: Change) -> bool:
    """The new server gets a signing key, or signs with one that it has."""
    return change.after is not None and change.address[:2] == (Place.NEW, "dkim_key")


def keeps_password(change: Change) -> bool:
    """A mailbox is made whose password hash comes from the old server."""
    after = change.after
    return (
        change.before is None
        and isinstance(after, Mailbox)
        and after.place is Place.NEW
        and (after.password or "").startswith("keep:")
    )


def removes_key(change: Change) -> bool:
    """DKIM rdata are taken out of the zone."""
    return _is_key_record(change) and not _rdata(change.before) <= _rdata(change.after)


def retires(change: Change) -> bool:
    """An object of the old server is removed, or a DKIM key is taken out of the zone."""
    return removes_key(change) or (change.after is None and change.address.place is Place.OLD)


def spf_texts(rrset: RRset | None) -> Iterator[str]:
    """The SPF records among the texts of an RRset, in alphabetical order."""
    return (text for text in sorted(_rdata(rrset)) if is_spf(text))


def _is_key_record(change: Change) -> bool:
    return _rdtype(change) == "TXT" and "._domainkey." in change.address.name


def _rdtype(change: Change) -> str | None:
    subject = change.after or change.before
    return subject.rdtype if isinstance(subject, RRset) else None


def _rdata(resource: object) -> frozenset[str]:
    return resource.rdata if isinstance(resource, RRset) else frozenset()


def _spf(resource: object) -> frozenset[str]:
    return frozenset(filter(is_spf, _rdata(resource)))


def _forward(resource: object) -> str | None:
    return resource.forwards_to if isinstance(resource, SieveScript) else None
