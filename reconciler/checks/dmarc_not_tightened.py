"""The DMARC policy does not get stricter before harden, and is one that receivers can read.

While two servers send, some legitimate mail fails SPF or DKIM; a stricter policy turns that into lost mail.
"""

from collections.abc import Iterable
from typing import Final

from reconciler.analysis.effects import changes_dmarc, redirects
from reconciler.extend import Check, Facts
from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.dmarc import Policy, is_dmarc
from reconciler.model.rrset import RRset, rrset_name
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Warn
from reconciler.spec.spec import Spec
from reconciler.wording.lists import listed, moment

_STRICTNESS: Final = {"none": 0, "quarantine": 1, "reject": 2}


def gates(change: Change) -> bool:
    """The policy itself, and the turn of the mail that it would hit."""
    return changes_dmarc(change) or redirects(change)


def judge(spec: Spec, facts: Facts) -> Answer:
    """What stands after this stage against what stood when the move began."""
    address = Address(Place.DNS, RRset.kind, rrset_name(f"_dmarc.{spec.owner}", "TXT"))
    standing = _records(facts.desired.get(address))
    if broken := _broken(spec, standing):
        return Fail(*broken) if any(map(changes_dmarc, facts.changes)) else Warn(*broken)
    if facts.stage >= Stage.HARDEN:
        return Pass(f"DMARC of {spec.domain}: {_shown(standing)}")
    first, since = _start(facts, address)
    first = () if _broken(spec, first) else first
    if _stricter(standing, first):
        return Fail(
            f"the DMARC policy was {_shown(first)} {since} and is {_shown(standing)} now: while both servers send, "
            "receivers refuse or set aside what fails",
            f"put back what stood at _dmarc.{spec.domain} until harden; the spec's dmarc section tightens it then",
        )
    policy = _policy(standing)
    if _strictness(standing)[0] and facts.stage > Stage.PREPARE:
        return Warn(
            f"DMARC of {spec.domain} says p={policy}: mail from the new server that is not signed right is "
            f"{'refused' if policy == 'reject' else 'set aside as spam'}",
            "send a test message by the new server and see dkim=pass before users do; or set p=none until harden",
        )
    return Pass(f"DMARC of {spec.domain}: {_shown(standing)}, not stricter than {since}")


def _broken(spec: Spec, records: tuple[str, ...]) -> tuple[str, str] | None:
    where = f"_dmarc.{spec.domain}"
    if len(records) > 1:
        return (
            f"{where} has {len(records)} DMARC records, and receivers ignore them all: {listed(records)}",
            "keep one of them",
        )
    if records and _policy(records) not in _STRICTNESS:
        return (
            f"{where} has a DMARC record without a policy that receivers know: {records[0]}",
            "write p=none, p=quarantine or p=reject into it",
        )
    return None


def _start(facts: Facts, address: Address) -> tuple[tuple[str, ...], str]:
    """What stood first, as far as anybody noted: before our own change, at the first sighting, or as read."""
    if address in facts.baseline:
        return _records(facts.baseline[address]), "before this move touched it"
    history = facts.histories.get(address.name)
    if history and history.sightings:
        first = history.sightings[0]
        return _records(first.value), f"when it was first looked at ({moment(first.first_seen)})"
    return _records(facts.observed.get(address)), "as it stands"


def _records(resource: object) -> tuple[str, ...]:
    return tuple(filter(is_dmarc, sorted(resource.rdata))) if isinstance(resource, RRset) else ()


def _shown(records: tuple[str, ...]) -> str:
    return "; ".join(f"{name}={value}" for name, value in Policy.parse(records[0]).tags) if records else "no policy"


def _policy(records: Iterable[str]) -> str:
    for record in records:
        return (Policy.parse(record).get("p") or "none").lower()
    return "none"


def _strictness(records: tuple[str, ...]) -> tuple[int, int, int]:
    """For the domain, for its subdomains, and in percent; t=y makes a policy count as the next milder one."""
    if not records:
        return (0, 0, 0)
    policy = Policy.parse(records[0])
    trial = int((policy.get("t") or "").lower() == "y")
    domain = _STRICTNESS[_policy(records)]
    below = _STRICTNESS.get((policy.get("sp") or "").lower(), domain)
    pct = policy.get("pct") or ""  # older receivers still read it
    return max(domain - trial, 0), max(below - trial, 0), int(pct) if domain and pct.isdigit() else 100 * bool(domain)


def _stricter(now: tuple[str, ...], then: tuple[str, ...]) -> bool:
    return any(a > b for a, b in zip(_strictness(now), _strictness(then), strict=True))


CHECK = Check(
    title="DMARC is not tightened before harden",
    stages=frozenset({Stage.PREPARE, Stage.OVERLAP, Stage.CUTOVER, Stage.HARDEN}),
    gates=gates,
    judge=judge,
    source="RFC 9989, sections 4.7 and 4.10",
)
