"""No account of the new server goes before its mail was copied back to the old one.

The mail itself stays on the disk, but without the account nobody can read or copy it.
"""

from reconciler.analysis.cutover_records import turns
from reconciler.analysis.effects import removes_from_new
from reconciler.extend import Check, Facts
from reconciler.model.address import Address, Place
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass
from reconciler.resources.mail.returned import ReturnedMail
from reconciler.resources.server.mailbox import Mailbox
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted, listed


def judge(spec: Spec, facts: Facts) -> Answer:
    """Asked where a rollback removes accounts; only if the world was ever told to deliver there."""
    removed = [c.address.name for c in facts.changes if removes_from_new(c) and c.address.kind == Mailbox.kind]
    if not removed:
        return Pass("no account of the new server is removed here")
    named = [turn.name for turn in turns(spec) if _was_new(facts, turn.name, turn.new)]
    if not named:
        return Pass("no name server was ever seen to send mail to the new server")
    if spec.confirm.copied_back:
        return Pass("confirm.copied_back: the mail that arrived on the new server was copied to the old one")
    left = removed
    if spec.mail_copy is not None:
        left = [name for name in removed if Address(Place.OLD, ReturnedMail.kind, name) not in facts.expected]
        if not left:
            return Pass("what had arrived on the new server is on the old one too")
    return Fail(
        f"{listed(named)} named the new server, so {counted(len(left), 'account')} there may hold mail that the old "
        f"server does not have: {listed(left)}",
        "copy it back, then set confirm.copied_back: true in the spec",
    )


def _was_new(facts: Facts, name: str, new: frozenset[str]) -> bool:
    history = facts.histories.get(name)
    return history is not None and any(s.value is not None and s.value.rdata == new for s in history.sightings)


CHECK = Check(
    title="Mail that arrived on the new server was copied back",
    stages=frozenset({Stage.PREPARE}),
    gates=removes_from_new,
    judge=judge,
    source="the spec's confirm.copied_back",
)
