"""Each new mailbox that keeps its old password has an old account to take it from."""

from reconciler.analysis.effects import keeps_password
from reconciler.extend import Check, Facts
from reconciler.model.address import Address, Place
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass
from reconciler.resources.server.mailbox import Mailbox
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted, listed


def judge(_spec: Spec, facts: Facts) -> Answer:
    """The accounts that are made in this stage, against those that were read on the old server."""
    kept = [change.subject.name for change in facts.changes if keeps_password(change)]
    missing = [name for name in kept if Address(Place.OLD, Mailbox.kind, name) not in facts.observed]
    if not missing:
        return Pass(f"{counted(len(kept), 'new mailbox', 'new mailboxes')} with the old password, all known there")
    return Fail(
        f"the old server has no account for {counted(len(missing), 'mailbox', 'mailboxes')} whose password is to be "
        f"kept, so nobody could log in: {listed(missing)}",
        "set password: generate, or a reference (env:, file:, command:), for each of them in the spec",
    )


CHECK = Check(
    title="Passwords to keep exist on the old server",
    stages=frozenset(Stage),
    gates=keeps_password,
    judge=judge,
    source="the spec's mailboxes",
)
