"""The catch-all takes nobody's mail: every address of the old server exists on the new one beside it.

Without the catch-all a forgotten address bounces and the sender knows; with it the mail lands in silence in another
person's mailbox.
"""

from reconciler.analysis.addresses import catch_all, missing_on_new
from reconciler.analysis.effects import redirects, sets_catch_all
from reconciler.extend import Check, Facts
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted, listed


def gates(change: Change) -> bool:
    """The catch-all, and what brings mail to it."""
    return sets_catch_all(change) or redirects(change)


def judge(spec: Spec, facts: Facts) -> Answer:
    """What was read on the old server against what stands on the new one after this stage."""
    ours = catch_all(facts.desired, Place.NEW, spec.domain)
    if ours is None:
        return Pass("the new server has no catch-all")
    swallowed = missing_on_new(facts.observed, facts.desired, spec.domain)
    to = listed(sorted(ours.targets))
    if not swallowed:
        return Pass(f"the catch-all to {to} takes only addresses that the old server does not have either")
    return Fail(
        f"{counted(len(swallowed), 'address', 'addresses')} of the old server would go to the catch-all on the new one "
        f"({to}), and nobody would notice: {listed(swallowed)}",
        "add them to mailboxes or aliases in the spec, or remove them on the old server",
    )


CHECK = Check(
    title="The catch-all swallows no address",
    stages=frozenset({Stage.PREPARE, Stage.CUTOVER}),
    gates=gates,
    judge=judge,
    source="Postfix virtual(5), @domain",
)
