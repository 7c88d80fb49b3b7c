"""The new server takes mail for every address, by its own word, before the MX names it.

What a server's files or its API say need not be what its SMTP says: a map that was not rebuilt, a domain that is not
its own, a filter in front of it.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from reconciler.analysis.addresses import catch_all, is_answered
from reconciler.analysis.effects import redirects
from reconciler.extend import Check, Facts
from reconciler.model.address import Place
from reconciler.model.outside import Reception, Receptions, Reply
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Wait
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted, listed, sentences

_ASK_AGAIN: Final = timedelta(minutes=5)  # Postgrey's delay; RFC 6647, section 3.1, wants one of 1 to 30 minutes


def judge(spec: Spec, facts: Facts) -> Answer:
    """The replies to RCPT of each server that was asked; the worst of them decides."""
    if facts.back:
        return Pass("mail goes back to the old server")
    found = facts.outside.get(Receptions)
    if found is None:
        return Pass("not asked: probe.smtp in the spec names no server")
    refusals = [text for reception in found.servers for text in _refusals(spec, facts, reception)]
    if refusals:
        return Fail(
            sentences(*refusals),
            "see the new server's own log for the reason, mend it there, and plan again: no mail was sent",
        )
    pending = [text for reception in found.servers for text in _pending(spec, facts, reception)]
    if pending:
        return Wait(None, f"{sentences(*pending)}: asked again once that is made")
    unknown = [text for reception in found.servers for text in _unknown(reception)]
    if unknown:
        return Wait(facts.now + _ASK_AGAIN, f"not known yet: {sentences(*unknown)}")
    return Pass(sentences(*(f"{each.server} takes all {len(each.answers):,} addresses" for each in found.servers)))


def _refusals(spec: Spec, facts: Facts, seen: Reception) -> Iterator[str]:
    """What would bounce, or what makes every other answer worth nothing."""
    if seen.trouble:
        yield f"{seen.server} {seen.trouble}, so nobody can say whether the world's mail would arrive there"
    refused = {name: reply for name, reply in _refused(seen).items() if not _comes(spec, facts, name)}
    if refused:
        more = f" ({seen.unasked:,} were not asked any more)" if seen.unasked else ""
        yield (
            f"{seen.server} refuses {len(refused):,} of {counted(len(seen.answers), 'address', 'addresses')}{more}, "
            f"mail for them would bounce: {_quoted(refused)}"
        )
    if seen.nobody and seen.nobody.refused and catch_all(facts.observed, Place.NEW, spec.domain):
        yield f"{seen.server} refuses an address that only its catch-all can take ({seen.nobody})"
    if seen.nobody and seen.nobody.taken and not (spec.catch_all or catch_all(facts.observed, Place.NEW, spec.domain)):
        yield (
            f"{seen.server} takes an address that nobody has ({seen.nobody}), so its word proves nothing of the "
            "others, and what it cannot deliver it sends back to forged senders"
        )


def _pending(spec: Spec, facts: Facts, seen: Reception) -> Iterator[str]:
    """What is refused because an earlier step has still to make it."""
    names = [name for name in _refused(seen) if _comes(spec, facts, name)]
    if names:
        yield f"{seen.server} does not know {counted(len(names), 'address', 'addresses')} yet ({listed(names, 3)})"
    if seen.nobody and seen.nobody.refused and catch_all(facts.desired, Place.NEW, spec.domain):
        yield f"{seen.server} has no catch-all yet"


def _unknown(seen: Reception) -> Iterator[str]:
    put_off = {name: reply for name, reply in seen.answers.items() if reply.later}
    if seen.nobody and seen.nobody.later:
        put_off["an address that nobody has"] = seen.nobody
    if put_off:
        more = f", and {seen.unasked:,} were not asked" if seen.unasked else ""
        yield (
            f"{seen.server} puts off {counted(len(put_off), 'address', 'addresses')}, as one that greylists does"
            f"{more}: {_quoted(put_off)}"
        )


def _refused(seen: Reception) -> dict[str, Reply]:
    return {name: reply for name, reply in seen.answers.items() if reply.refused}


def _comes(spec: Spec, facts: Facts, name: str) -> bool:
    """Whether the new server has no such address today, and has one after the steps before."""
    today, then = (
        is_answered(state, Place.NEW, name) or catch_all(state, Place.NEW, spec.domain) is not None
        for state in (facts.observed, facts.desired)
    )
    return then and not today


def _quoted(replies: dict[str, Reply]) -> str:
    return listed((f"{name} ({reply})" for name, reply in replies.items()), 3)


CHECK = Check(
    title="The new server takes mail for every address",
    stages=frozenset({Stage.CUTOVER}),
    gates=redirects,
    judge=judge,
    source="RFC 5321, sections 3.3 and 3.6.1",
)
