"""Every address that the old server answers is answered by the new one before mail goes there.

An address that was forgotten turns into bounces at the cutover. Where the new server has a catch-all, nothing bounces
and ``catch_all_swallows`` speaks instead.
"""

from reconciler.analysis.addresses import answered, catch_all, missing_on_new
from reconciler.analysis.effects import redirects
from reconciler.extend import Check, Facts
from reconciler.model.address import Place
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Warn
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted, listed, sentences


def judge(spec: Spec, facts: Facts) -> Answer:
    """What was read on the old server against what stands on the new one after this stage; at prepare a warning."""
    if facts.back:
        return Pass("mail goes back to the old server")
    ours = catch_all(facts.desired, Place.NEW, spec.domain)
    theirs = catch_all(facts.observed, Place.OLD, spec.domain)
    number = sum(1 for _ in answered(facts.observed, Place.OLD, spec.domain))
    if not number and theirs is None:
        return Warn(
            f"the old server shows no address of {spec.domain}, so nobody can say whether one was forgotten",
            "see that old.options lead to the right server, or compare the addresses by hand",
        )
    missing = [] if ours else missing_on_new(facts.observed, facts.desired, spec.domain)
    lost = theirs is not None and ours is None
    if not missing and not lost:
        return Pass(f"{counted(number, 'address', 'addresses')} of the old server, all answered by the new one")
    words = {1: "is"}.get(len(missing), "are")
    why = sentences(
        f"{counted(len(missing), 'address', 'addresses')} of the old server {words} not on the new one, mail for "
        f"them would bounce: {listed(missing)}"
        if missing
        else "",
        f"the old server has a catch-all (to {listed(sorted(theirs.targets))}) and the new one has none"
        if theirs and lost
        else "",
    )
    todo = sentences(
        "add them to mailboxes or aliases in the spec, or remove them on the old server" if missing else "",
        "set catch_all, or remove the old one" if lost else "",
    )
    return Warn(why, todo) if facts.stage is Stage.PREPARE else Fail(why, todo)


CHECK = Check(
    title="Every address of the old server is answered by the new one",
    stages=frozenset({Stage.PREPARE, Stage.CUTOVER}),
    gates=redirects,
    judge=judge,
    source="RFC 5321, section 3.6.2",
)
