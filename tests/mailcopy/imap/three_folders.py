"""Three folders with six messages, and what has to become of them in three passes."""

from reconciler.mailcopy.job import State
from reconciler.model.grade import Grade
from tests.fakes.imap_folders import Folder, mails
from tests.fakes.imap_oddity import Oddity
from tests.fakes.imap_server import ORDINARY, ImapServer
from tests.support.mail_move import MailMove, balanced, refused

ALL = {"INBOX": ["hello 1", "hello 2", "hello 3"], "Work": ["hello 10", "hello 11"], "Archive": ["hello 20"]}
WELL = (Grade.PERFECT, Grade.GOOD)


def three() -> dict[bytes, Folder]:
    """INBOX, Work and Archive."""
    return {
        b"INBOX": Folder(mails(3)),
        b"Work": Folder(mails(2, 10), subscribed=True),
        b"Archive": Folder(mails(1, 20)),
    }


def old_with(*oddities: Oddity, capabilities: str = ORDINARY) -> ImapServer:
    """A source that holds them."""
    return ImapServer(three(), *oddities, capabilities=capabilities)


def assert_all_copied_and_followed(move: MailMove) -> None:
    """Three passes: what is there, what came and changed since, and nothing."""
    report = move.copy()
    assert (report.state, refused(report), move.standing()) == (State.DONE, {}, ALL), report
    assert balanced(report)
    work = move.old.folders[b"Work"]
    work.flag(10, r"\Seen")
    work.add(*mails(1, 50))
    report = move.copy()
    assert (report.state, report.tally.sent, balanced(report)) == (State.DONE, 1, True), report
    assert move.standing() == ALL | {"Work": ["hello 10", "hello 11", "hello 50"]}
    assert {mail.plain_text: mail.flags for mail in move.new.folders[b"Work"].mails} == {
        "hello 10": r"\Seen",
        "hello 11": "",
        "hello 50": "",
    }
    verdict = move.verify()
    assert verdict.grade in WELL, verdict
    report = move.copy()
    assert (report.state, report.tally.new, balanced(report)) == (State.DONE, 0, True), report
