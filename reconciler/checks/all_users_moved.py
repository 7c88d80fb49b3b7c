"""Every user reads on the new server before the old one loses its place in SPF.

Only a mailbox with ``forward_to`` lives on both servers for a while; one without it has moved with the cutover,
whatever its ``moved`` says.
"""

from reconciler.analysis.effects import changes_dmarc, changes_spf, changes_ttl, ends_forward
from reconciler.extend import Check, Facts
from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Warn
from reconciler.resources.server.sieve import SieveScript
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted, listed, sentences


def gates(change: Change) -> bool:
    """What users on the old server still need: its SPF, a lenient DMARC, a quick way back, their copies."""
    return changes_spf(change) or changes_dmarc(change) or changes_ttl(change) or ends_forward(change)


def judge(spec: Spec, facts: Facts) -> Answer:
    """By the spec; a forward that its user has switched off is told as a sign, it does not count as moved."""
    today = facts.now.date()
    shared = [mailbox for mailbox in spec.mailboxes if mailbox.forward_to]
    waiting = [mailbox.address for mailbox in shared if not mailbox.has_moved(today)]
    if not shared:
        return Pass("no user has a forward to the old server")
    if not waiting:
        return Pass(f"all {counted(len(shared), 'user')} with a forward to the old server have moved")
    off = [address for address in waiting if _switched_off(facts, address)]
    some = "has" if len(waiting) == 1 else "have"
    signs = f"{listed(off)} switched the forward off and may have moved already" if off else ""
    why = sentences(
        f"{counted(len(waiting), 'user')} of {len(shared):,} {some} not moved and may still send by the old server: "
        f"{listed(waiting)}",
        signs,
    )
    todo = "set moved: true (or the date) for each of them once they read and send on the new server"
    return Fail(why, todo) if any(map(gates, facts.changes)) else Warn(why, todo)


def _switched_off(facts: Facts, address: str) -> bool:
    script = facts.observed.get(Address(Place.NEW, SieveScript.kind, address))
    return isinstance(script, SieveScript) and script.switched_off


CHECK = Check(
    title="Every user has moved",
    stages=frozenset({Stage.HARDEN}),
    gates=gates,
    judge=judge,
    source="RFC 7208, section 2.4; the spec's mailboxes",
)
