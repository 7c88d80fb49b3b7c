"""Receivers know that the new server may send before mail arrives, and is answered, there.

A receiver whose resolver still holds the SPF record from before overlap refuses or files as spam what the new server
sends. It is the same wait as for the MX, of another record.
"""

from reconciler.analysis.caches import forgotten, in_seconds, last_forgotten
from reconciler.analysis.cutover_records import turning
from reconciler.analysis.effects import redirects, spf_texts
from reconciler.analysis.zone import Zone
from reconciler.extend import Check, Facts
from reconciler.model.address import Place
from reconciler.model.rrset import RRset, rrset_name
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Pass, Wait
from reconciler.spec.spec import Spec
from reconciler.wording.lists import listed


def judge(spec: Spec, facts: Facts) -> Answer:
    """Asked as long as the cutover is still to come; an SPF record that never lacked the new server needs no wait."""
    if not spec.new.senders or not turning(spec, facts.changes, Place.NEW):
        return Pass("no mail is turned to a new sender here")
    name = rrset_name(spec.domain, "TXT")
    standing, observed = (Zone(state, spec.owner).at(spec.owner, "TXT") for state in (facts.expected, facts.observed))

    def lacks(value: RRset) -> bool:
        texts = list(spf_texts(value))
        return bool(texts) and not all(sender in text.split() for text in texts for sender in spec.new.senders)

    if observed and lacks(observed) and standing != observed:
        return Wait(
            None,
            f"first SPF names {listed(spec.new.senders)}; then it takes {in_seconds(observed.ttl)} until caches have "
            "forgotten the old one",
        )
    history = facts.histories.get(name)
    if history is None or (not history.lagging(standing) and last_forgotten(history, lacks) is None):
        return Pass("no SPF record without the new server was seen at the name servers")
    return forgotten(name, standing, history, now=facts.now, margin=spec.waits.margin, counts=lacks)


CHECK = Check(
    title="Receivers have learnt that the new server may send",
    stages=frozenset({Stage.CUTOVER}),
    gates=redirects,
    judge=judge,
    source="RFC 7208, section 4.4; RFC 1034, section 3.6",
)
