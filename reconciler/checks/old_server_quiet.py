"""Nothing new has come to the old server for some days when the domain stops counting on it.

Late mail, a program that nobody thought of, a user who goes on working there: a pass of the mail copy would find it.
Asked only where the spec has a section ``copy``.
"""

from reconciler.analysis.effects import changes_dmarc, changes_spf, ends_forward
from reconciler.extend import Check, Facts
from reconciler.model.change import Change
from reconciler.model.last_pass import LastPass
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Pass, Wait
from reconciler.resources.mail.stored import StoredMail
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted, listed, moment, span


def gates(change: Change) -> bool:
    """What mail from the old server still needs, and the pass that shows that none comes any more."""
    looks = isinstance(change.after, StoredMail) and change.after.quiet
    return looks or changes_spf(change) or changes_dmarc(change) or ends_forward(change)


def judge(spec: Spec, facts: Facts) -> Answer:
    """Each mailbox: so long after the last pass that found something, one more is made, which must find nothing."""
    if spec.mail_copy is None:
        return Pass("the spec has no section copy: nobody can see what comes to the old server")
    last = {mailbox.address: facts.copies.get(mailbox.address, LastPass()) for mailbox in spec.with_old_mail}
    times = {address: at for address, each in last.items() if (at := each.quiet_at(spec.waits.quiet))}
    quiet = span(spec.waits.quiet)
    if not times:
        return Pass(f"passes over the old server have found nothing new for {quiet}")
    latest = max(times, key=lambda address: times[address])
    found = last[latest].brought
    since = f", last on {moment(found)} ({latest})" if found else ""
    why = f"mail came to the old server in {counted(len(times), 'mailbox', 'mailboxes')} ({listed(times)}){since}"
    if times[latest] > facts.now:
        return Wait(times[latest], f"{why}; it must be quiet for {quiet}")
    return Pass(f"{why}; that nothing came for {quiet} since, one more pass has to show first")


CHECK = Check(
    title="The old server is quiet",
    stages=frozenset({Stage.HARDEN}),
    gates=gates,
    judge=judge,
    source="the ledger of the mail copy; waits.quiet",
)
