"""No account of the new server goes before its mail was copied back to the old one.

The mail itself stays on the disk, but without the account nobody can read or copy it.
"""

from reconciler.analysis.effects import removes_from_new
from reconciler.analysis.mail_routes import Known, ever_named
from reconciler.extend import Check, Facts
from reconciler.model.address import Address, Place
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass
from reconciler.resources.mail.returned import ReturnedMail
from reconciler.resources.server.mailbox import Mailbox
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted, listed


def judge(spec: Spec, facts: Facts) -> Answer:
    """Asked where a rollback removes accounts, at whatever stage; only if the world was ever told to deliver there."""
    removed = [c.address.name for c in facts.changes if removes_from_new(c) and c.address.kind == Mailbox.kind]
    if not removed:
        return Pass("no account of the new server is removed here")
    named = ever_named(spec, Place.NEW, Known(facts.observed, facts.histories, facts.now, spec.waits.margin))
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


CHECK = Check(
    title="Mail that arrived on the new server was copied back",
    stages=frozenset(Stage),
    gates=removes_from_new,
    judge=judge,
    source="the spec's confirm.copied_back",
    only_to_gate=True,
)
