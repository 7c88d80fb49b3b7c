"""The SPF record of each stage is one that receivers can evaluate.

Beyond its limits a record is worth nothing: receivers answer permerror, and with DMARC mail is refused.
"""

from collections.abc import Iterator

from reconciler.analysis.effects import changes_spf, spf_texts
from reconciler.analysis.spf_cost import Tally, reached, tally
from reconciler.analysis.zone import Zone
from reconciler.extend import Check, Facts
from reconciler.model.rrset import octets_of
from reconciler.model.spf import LONGEST_RECORD, MOST_LOOKUPS, MOST_VOID_LOOKUPS, Mechanism, Spf
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Warn
from reconciler.spec.spec import Spec as MoveSpec
from reconciler.wording.lists import listed, sentences

_MEND = "mend the SPF record in the zone, then plan again"


def judge(spec: MoveSpec, facts: Facts) -> Answer:
    """The record as it will stand after this stage; faults of one that this stage leaves alone are warnings."""
    changes = any(map(changes_spf, facts.changes))
    found = _faults(spec, facts) or _judged(spec, facts)
    return Warn(found.why, found.todo) if isinstance(found, Fail) and not changes else found


def _faults(spec: MoveSpec, facts: Facts) -> Fail | None:
    """Before our terms are merged in: what stands must be one record, and readable."""
    standing = list(spf_texts(Zone(facts.expected, spec.owner).at(spec.owner, "TXT")))
    if len(standing) > 1:
        return Fail(
            f"{spec.domain} has {len(standing)} SPF records, so receivers read none of them (permerror): "
            f"{listed(repr(text) for text in standing)}",
            "merge them into one record in the zone, then plan again",
        )
    try:
        for text in standing:
            Spf.parse(text)
    except ValueError as error:
        return Fail(f"receivers cannot read the SPF record of {spec.domain} (permerror): {error}", _MEND)
    return None


def _judged(spec: MoveSpec, facts: Facts) -> Answer:
    zone = Zone(facts.desired, spec.owner)
    texts = list(spf_texts(zone.at(spec.owner, "TXT")))
    if not texts:
        return Pass(f"{spec.domain} has no SPF record")
    record = Spf.parse(texts[0])
    cost = tally(record, spec.owner, zone)
    evidence = _evidence(texts[0], cost)
    if broken := _broken(record, cost):
        return Fail(sentences(broken, evidence), _remedy(cost))
    warnings = list(_warnings(spec, texts[0], record, cost))
    if warnings:
        return Warn(sentences(*(each.why for each in warnings), evidence), sentences(*(each.todo for each in warnings)))
    return Pass(evidence)


def _broken(record: Spf, cost: Tally) -> str:
    whole = next((mechanism for mechanism in record.mechanisms if mechanism.name == "all"), None)
    return sentences(
        f"{cost.lookups} look-ups, more than the {MOST_LOOKUPS} that receivers make" if _over(cost) else "",
        *cost.broken,
        "+all lets the whole world send in the domain's name" if whole and whole.qualifier == "+" else "",
    )


def _over(cost: Tally) -> bool:
    return cost.lookups > MOST_LOOKUPS


def _remedy(cost: Tally) -> str:
    return sentences(
        "name servers by ip4: and ip6:, which cost no look-up, instead of a, mx and include" if _over(cost) else "",
        "" if _over(cost) and not cost.broken else _MEND,
    )


def _warnings(spec: MoveSpec, text: str, record: Spf, cost: Tally) -> Iterator[Warn]:
    if len(cost.void) > MOST_VOID_LOOKUPS or any(term.startswith(("include", "redirect")) for term in cost.void):
        yield Warn(
            f"nothing was found in the zone for {listed(cost.void)}: receivers give up on an include without a record, "
            f"and after {MOST_VOID_LOOKUPS} answers without data",
            "take out the terms that find nothing",
        )
    size = len(octets_of(text))
    if size > LONGEST_RECORD:
        yield Warn(f"it has {size} octets: over {LONGEST_RECORD} an answer may be cut short", "shorten the record")
    if any(mechanism.name == "ptr" for mechanism in record.mechanisms):
        yield Warn("ptr is slow and many receivers ignore it", "name the servers by ip4: and ip6: instead of ptr")
    if record.all and "redirect" in dict(record.modifiers):
        yield Warn("redirect= has no effect beside all", "take redirect= out, or include: its domain")
    if record.all and record.all.qualifier == "?":
        yield Warn("?all says nothing about forged mail", "set spf.relaxed and spf.final to ~all or -all")
    if foreign := _foreign(spec, record):
        yield Warn(
            f"it also authorises {listed(foreign)}, which the spec does not name and every stage keeps",
            "write into old.senders what belongs to the old server, and the rest into senders: "
            f"[{', '.join(map(str, foreign))}]",
        )


def _foreign(spec: MoveSpec, record: Spf) -> list[Mechanism]:
    named = [*spec.old.senders, *spec.new.senders, *spec.senders]
    known = {Mechanism.parse(each).target for each in named}
    return [mechanism for mechanism in reached(record) if mechanism.qualifier == "+" and mechanism.target not in known]


def _evidence(text: str, cost: Tally) -> str:
    more = f", not counting what is inside of {listed(cost.unseen)}, which only the network shows"
    return f"{text}: look-ups {cost.lookups} of {MOST_LOOKUPS}{more if cost.unseen else ''}"


CHECK = Check(
    title="SPF is one record within its limits",
    stages=frozenset(Stage),
    gates=changes_spf,
    judge=judge,
    source="RFC 7208, sections 3.2, 3.4, 4.5, 4.6.4, 5.5 and 6.1",
)
