"""The new server signs, and the world will be able to verify it: seen in a message, not in files or records.

A milter that does not run, a domain that is missing in a table, a record with another key: with DMARC each of them has
the domain's mail refused from the cutover on.
"""

from collections.abc import Iterator

from reconciler.analysis.effects import redirects
from reconciler.extend import Check, Facts
from reconciler.model.outside import SignedTest
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Wait, Warn
from reconciler.spec.spec import Spec
from reconciler.wording.lists import listed, moment, sentences


def judge(spec: Spec, facts: Facts) -> Answer:
    """One signature by a key of ``new.dkim`` that verifies is enough for receivers (RFC 9989, alignment by DKIM)."""
    if spec.probe is None or spec.probe.signed is None:
        return Pass("not asked: probe.signed in the spec describes no message to sign")
    seen = facts.outside.get(SignedTest)
    if seen is None or facts.back:
        return Pass("no message is sent where the world delivers to the new server already, or back to the old one")
    if seen.early:
        return Wait(None, f"first {seen.early}; then it can sign a message")
    return _judged(spec, seen)


def _judged(spec: Spec, seen: SignedTest) -> Answer:
    if seen.arrived is None:
        return Fail(
            f"it is not known how the new server signs: {seen.trouble}",
            "see the new server's own log for the reason, mend it there or in probe.signed, and plan again",
        )
    selectors = [key.selector for key in spec.new.dkim]
    proven = seen.proven(spec.domain, selectors)
    if not proven:
        return Fail(
            f"the message that {seen.mailbox} sent to itself {moment(seen.arrived)} {_unproven(seen)}; receivers would "
            "refuse the domain's mail or file it as spam",
            "see that the new server signs submitted mail of the domain with a key of new.dkim; the next plan sends "
            "another message",
        )
    evidence = f"{seen.mailbox} sent itself a message {moment(seen.arrived)}, rightly signed with {listed(proven)}"
    if told := [*_told(spec, seen, [selector for selector in selectors if selector not in proven])]:
        return Warn(sentences(evidence, *told), "see which keys the new server signs with, and correct new.dkim or it")
    return Pass(evidence)


def _unproven(seen: SignedTest) -> str:
    if not seen.signatures:
        return "carries no signature"
    return "is not signed as it has to be: " + listed(
        f"{it.selector} of {it.domain}, {it.why or 'which is no key of new.dkim'}" for it in seen.signatures
    )


def _told(spec: Spec, seen: SignedTest, unused: list[str]) -> Iterator[str]:
    if unused:
        yield f"nothing in it is signed with {listed(unused)}, so that nobody knows whether that key works"
    if seen.envelope and seen.envelope != spec.domain:
        yield (
            f"its envelope sender is in {seen.envelope}, so that receivers ask that domain for SPF, which counts "
            f"nothing for the DMARC of {spec.domain}"
        )


CHECK = Check(
    title="The new server signs so that the world can verify it",
    stages=frozenset({Stage.CUTOVER}),
    gates=redirects,
    judge=judge,
    source="RFC 6376, section 6.1; RFC 9989, on identifier alignment",
)
