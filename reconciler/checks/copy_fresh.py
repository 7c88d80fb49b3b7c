"""The stored mail is on the new server, and was compared not long ago, when the world is told to deliver there.

Asked only where the spec has a section ``copy``. The plan's own steps copy and compare first, and nothing is turned
where one of them fails. What arrives on the old server later is collected by further passes.
"""

from reconciler.analysis.cutover_records import turning
from reconciler.analysis.effects import redirects
from reconciler.extend import Check, Facts
from reconciler.model.address import Address, Place
from reconciler.model.grade import Grade
from reconciler.model.last_pass import LastPass
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Wait
from reconciler.resources.mail.stored import StoredMail
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted, listed, sentences


def judge(spec: Spec, facts: Facts) -> Answer:
    """Each mailbox of the spec: complete by the steps that come first, and with no bad verdict from the last time."""
    if spec.mail_copy is None:
        return Pass("the spec has no section copy: the mail is brought over by other means")
    if not turning(spec, facts.changes, Place.NEW):
        return Pass("no mail is turned to the new server here")
    last = {mailbox.address: facts.copies.get(mailbox.address, LastPass()) for mailbox in spec.with_old_mail}
    poor = [address for address, each in last.items() if each.grade is Grade.POOR]
    doubtful = [
        address
        for address, each in last.items()
        if each.grade is Grade.INVESTIGATE and address not in spec.mail_copy.approved
    ]
    if poor or doubtful:
        return Fail(
            sentences(
                f"mail is missing or altered on the new server (Poor): {listed(poor)}" if poor else "",
                f"differences that nobody has explained (Investigate): {listed(doubtful)}" if doubtful else "",
            ),
            sentences(
                "copy these mailboxes again with reconciler copy SPEC ADDRESS --verify --report FILE.json, which lists "
                "every difference",
                "where a person has looked and it is right, list the address under copy.approved" if doubtful else "",
            ),
        )
    mails = {address: Address(Place.NEW, StoredMail.kind, address) for address in last}
    behind = [address for address, mail in mails.items() if not _is_complete(facts.desired.get(mail))]
    if behind:
        return Wait(None, f"the mail of {counted(len(behind), 'mailbox', 'mailboxes')} is not copied: {listed(behind)}")
    first = sum(change.address in set(mails.values()) for change in facts.changes)
    by_this = f"; of {first:,} this plan copies and compares it first" if first else ""
    return Pass(f"{counted(len(last), 'mailbox', 'mailboxes')} copied, and compared with the old server's{by_this}")


def _is_complete(mail: object) -> bool:
    return isinstance(mail, StoredMail) and mail.complete


CHECK = Check(
    title="The mail is copied and was compared",
    stages=frozenset({Stage.CUTOVER}),
    gates=redirects,
    judge=judge,
    source="the ledger of reconciler copy; waits.copy_fresh",
)
