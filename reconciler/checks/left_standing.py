"""What stands for the new server before the move, or after its journal was lost, stays: nobody can say who made it."""

from collections.abc import Iterator

from reconciler.analysis.effects import nothing
from reconciler.analysis.zone import rrset_in
from reconciler.extend import Check, Facts
from reconciler.model.address import Address, Place
from reconciler.model.rrset import RRset, rrset_name
from reconciler.model.spf import is_spf
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Pass, Warn
from reconciler.resources.server.dkim_key import key_name
from reconciler.spec.spec import Spec
from reconciler.wording.lists import listed


def judge(spec: Spec, facts: Facts) -> Answer:
    """Of the zone, at prepare, where none of it is wanted: keys of the new server, and its senders in SPF."""
    left = list(_left(spec, facts))
    if not left:
        return Pass("nothing stands for the new server but what the journal knows of")
    return Warn(
        f"{listed(left)}: the journal does not know who made it, so it stays as it is",
        "nothing, if it is meant to stand; else take it out by hand at the zone's keeper",
    )


def _left(spec: Spec, facts: Facts) -> Iterator[str]:
    for key in spec.new.dkim:
        name = rrset_name(key_name(key.selector, spec.domain), "TXT")
        if _is_unknown(name, facts) and rrset_in(facts.expected, name):
            yield name
    name = rrset_name(spec.domain, "TXT")
    standing = rrset_in(facts.expected, name)
    terms = {
        term.lstrip("+?~-") for text in (standing.rdata if standing else ()) if is_spf(text) for term in text.split()
    }
    named = [sender for sender in spec.new.senders if sender in terms and sender not in spec.old.senders]
    if named and _is_unknown(name, facts):
        yield f"{listed(named)} in SPF of {name}"


def _is_unknown(name: str, facts: Facts) -> bool:
    return Address(Place.DNS, RRset.kind, name) not in facts.baseline


CHECK = Check(
    title="What stands for the new server is known to the journal",
    stages=frozenset({Stage.PREPARE}),
    gates=nothing,
    judge=judge,
    source="this project's law: we remove what we made",
)
