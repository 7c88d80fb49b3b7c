"""The addresses that the new server sends from have names that lead back to them.

Large receivers refuse mail from an address without one, or file it as spam. No mail is lost by that: its sender is
told; so this holds nothing back.
"""

from collections.abc import Iterator

from reconciler.analysis.effects import nothing
from reconciler.extend import Check, Facts
from reconciler.model.outside import ReverseNames
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Pass, Warn
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted, listed, sentences


def judge(_spec: Spec, facts: Facts) -> Answer:
    """Each single address of ``new.senders``, as the resolver of the spec sees the world."""
    seen = facts.outside.get(ReverseNames)
    if seen is None:
        return Pass("not asked: probe.resolver in the spec names no resolver")
    if not seen.found:
        return Pass("new.senders names no single address")
    wrong = [*_unknown(seen), *_wrong(seen)]
    if not wrong:
        return Pass(f"{counted(len(seen.found), 'address', 'addresses')} with a name that leads back")
    unnamed = any(not each.confirmed and not each.trouble for each in seen.found)
    return Warn(
        sentences(*wrong),
        "have the owner of the address, mostly the hosting company, give it a PTR record with the new server's name, "
        "and see that this name has the address; large receivers refuse its mail until then"
        if unnamed
        else "see that the resolver answers this machine, or name another one in probe.resolver",
    )


def _unknown(seen: ReverseNames) -> Iterator[str]:
    by_reason: dict[str, list[str]] = {}
    for each in seen.found:
        if each.trouble:
            by_reason.setdefault(each.trouble, []).append(each.address)
    for why, addresses in by_reason.items():
        yield f"the name of {listed(addresses)} could not be looked up: the resolver {seen.resolver} {why}"


def _wrong(seen: ReverseNames) -> Iterator[str]:
    nameless = [each.address for each in seen.found if not each.names and not each.trouble]
    if nameless:
        yield f"the new server sends from {listed(nameless)}, which the DNS has no name for (PTR)"
    for each in seen.found:
        if each.names and not each.confirmed:
            yield f"the new server sends from {each.address}, whose name {listed(each.names)} does not lead back to it"


CHECK = Check(
    title="The new server's addresses have names that lead back",
    stages=frozenset({Stage.OVERLAP, Stage.CUTOVER}),
    gates=nothing,
    judge=judge,
    source="RFC 8601, section 3; RFC 1912, section 2.1",
)
