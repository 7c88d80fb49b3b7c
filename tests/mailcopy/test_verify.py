import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.mailcopy.imap.copy import copy_mailbox
from reconciler.mailcopy.imap.job import MailboxCopy
from reconciler.mailcopy.job import Means, Rules
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.model.judging import FORWARDED
from reconciler.mailcopy.verify import Verification, verify_mailbox
from reconciler.model.grade import Grade, Kind
from tests.lab.dovecot import Dovecot
from tests.lab.mailbox import RealClock, copying, endpoint, fill

pytestmark = pytest.mark.daemon
PLAIN = ((), ("Work",))


def judged(copy: MailboxCopy, ledger: SqlLedger, sample: int = 20) -> Verification:
    return verify_mailbox(copy, Means(ledger, RealClock()), sample, random.Random(1))


@pytest.fixture
def copied(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> MailboxCopy:
    """A mailbox of simple messages, copied."""
    for path, number in (("", 12), (".Work", 8)):
        folder = old.maildir(user) / path / "cur"
        folder.mkdir(parents=True)
        for count in range(number):
            file = folder / f"{count}.m.h:2,S"
            file.write_bytes(b"Message-ID: <%d@x>\nSubject: s\n\nbody %d\n" % (count, count))
            os.utime(file, (1_700_000_000 + count,) * 2)
    old.own(old.maildir(user).parent)
    copy = copying(endpoint(old, user), endpoint(new, user))
    copy_mailbox(copy, Means(ledger, RealClock()))
    return copy


def test_a_faithful_copy_is_perfect(copied: MailboxCopy, ledger: SqlLedger) -> None:
    verdict = judged(copied, ledger)
    assert (verdict.grade, verdict.differences) == (Grade.PERFECT, ())
    assert (verdict.messages, verdict.sampled) == (20, 20)


def test_a_random_mailbox_is_not_worse_than_good(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    fill(old, user, 31, 200)
    copy = copying(endpoint(old, user), endpoint(new, user))
    copy_mailbox(copy, Means(ledger, RealClock()))
    verdict = judged(copy, ledger, sample=200)
    assert verdict.grade in {Grade.PERFECT, Grade.GOOD}, verdict.differences


def test_mail_that_came_after_the_pass_is_left_to_the_next_one(
    copied: MailboxCopy, old: Dovecot, user: str, ledger: SqlLedger
) -> None:
    deliver = old.maildir(user) / "cur" / "99.m.h:2,"
    deliver.write_bytes(b"Message-ID: <late@x>\nSubject: late\n\nlate\n")
    old.own(old.maildir(user))
    verdict = judged(copied, ledger, sample=100)
    (late,) = verdict.differences
    assert (verdict.grade, late.kind, late.count) == (Grade.GOOD, Kind.MISSING, 1)
    assert late.explained == "it came after the last pass over its folder"


def test_a_folder_that_no_pass_came_to_the_end_of_has_no_such_excuse(copied: MailboxCopy, new: Dovecot) -> None:
    drop(new, copied.key.account)
    verdict = judged(copied, SqlLedger("sqlite://", RealClock()))
    assert verdict.grade is Grade.POOR


def one_file(server: Dovecot, user: str) -> Path:
    files = [*(server.maildir(user) / "cur").iterdir(), *(server.maildir(user) / "new").iterdir()]
    return min(files, key=lambda file: file.stat().st_mtime)


def drop(new: Dovecot, user: str) -> None:
    new.doveadm("expunge", "-u", user, "mailbox", "INBOX", "1")


def double(new: Dovecot, user: str) -> None:
    new.doveadm("copy", "-u", user, "INBOX", "mailbox", "INBOX", "1")


def unflag(new: Dovecot, user: str) -> None:
    new.doveadm("flags", "remove", "-u", user, "\\Seen", "mailbox", "INBOX", "1")


def redate(new: Dovecot, user: str) -> None:
    os.utime(one_file(new, user), (1_600_000_000, 1_600_000_000))
    forget_index(new, user)


def flip(new: Dovecot, user: str) -> None:
    file = one_file(new, user)
    times = file.stat()
    file.write_bytes(file.read_bytes().replace(b"body", b"bodi"))
    os.utime(file, (times.st_atime, times.st_mtime))
    forget_index(new, user)


def native(new: Dovecot, user: str) -> None:
    file = new.maildir(user) / "new" / "1.native.h"
    file.write_bytes(b"Message-ID: <native@x>\n\nhello\n")
    new.own(new.maildir(user))


def forget_index(new: Dovecot, user: str) -> None:
    for index in new.maildir(user).glob("dovecot.index*"):
        index.unlink()


@pytest.mark.parametrize(
    ("damage", "kind", "grade"),
    [
        (drop, Kind.MISSING, Grade.POOR),
        (flip, Kind.ALTERED, Grade.POOR),
        (double, Kind.TWICE, Grade.INVESTIGATE),
        (unflag, Kind.FLAGS, Grade.INVESTIGATE),
        (redate, Kind.DATE, Grade.INVESTIGATE),
        (native, Kind.EXTRA, Grade.GOOD),
    ],
)
def test_every_damage_is_found(
    damage: Callable[[Dovecot, str], None],
    kind: Kind,
    grade: Grade,
    new: Dovecot,
    user: str,
    copied: MailboxCopy,
    ledger: SqlLedger,
) -> None:
    damage(new, user)
    verdict = judged(copied, ledger)
    assert [difference.kind for difference in verdict.differences] == [kind]
    assert verdict.grade is grade


def test_a_refused_message_is_explained_by_the_ledger(
    old: Dovecot, copied: MailboxCopy, user: str, ledger: SqlLedger
) -> None:
    (old.maildir(user) / "cur" / "99.empty.h:2,").write_bytes(b"")
    old.own(old.maildir(user))
    copy_mailbox(copied, Means(ledger, RealClock()))
    verdict = judged(copied, ledger)
    assert verdict.grade is Grade.GOOD
    assert "no octets" in verdict.differences[0].explained


def test_flags_of_a_user_who_has_moved_are_explained(
    new: Dovecot, copied: MailboxCopy, user: str, ledger: SqlLedger
) -> None:
    unflag(new, user)
    moved = copying(copied.source, copied.target, Rules(follow_flags=False))
    assert judged(moved, ledger).grade is Grade.GOOD


def test_thousands_of_forwarded_copies_need_no_person_and_hide_no_other_message(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    """Who was forwarded for the weeks of the overlap has many messages with more header on one side."""
    for server, header in ((old, b"Received: by the forward\nReceived: by new\n"), (new, b"Received: by new\n")):
        folder = server.maildir(user) / "cur"
        folder.mkdir(parents=True)
        for number in range(1500):
            text = b"another text" if (server, number) == (old, 1234) else b"text"
            file = folder / f"{number}.m.h:2,S"
            file.write_bytes(header + b"Message-ID: <%d@x>\nSubject: s\n\n%s %d\n" % (number, text, number))
            os.utime(file, (1_700_000_000 + number + (server is old),) * 2)
        server.own(server.maildir(user).parent)
    verdict = judged(copying(endpoint(old, user), endpoint(new, user)), ledger, sample=0)
    found = {(each.kind, each.explained): each.count for each in verdict.differences}
    assert found == {
        (kind, why): count for kind in (Kind.SIZE, Kind.DATE) for why, count in ((FORWARDED, 1499), ("", 1))
    }
    assert verdict.grade is Grade.INVESTIGATE
