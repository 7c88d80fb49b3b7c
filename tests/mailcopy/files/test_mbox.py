"""mbox files as Dovecot itself keeps them, copied into a Maildir; both sides are read by their own servers."""

import imaplib
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from reconciler.mailcopy.either import copy_mailbox, verify_mailbox
from reconciler.mailcopy.files.job import FilesCopy, MboxEnd
from reconciler.mailcopy.job import MailboxReport, Means, Rules, State
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.model.grade import Grade
from tests.lab.dovecot import Dovecot, Seen
from tests.lab.mail_files import HERE, copying, end, prepared, shown
from tests.lab.mailbox import RealClock, message
from tests.mailcopy.servers import dovecot

pytestmark = pytest.mark.daemon


@pytest.fixture(scope="module")
def spool() -> Iterator[Dovecot]:
    """A server that keeps mbox files; in /dev/shm, so that tests can age what it writes."""
    yield from dovecot("mbox", location="mbox:~/mail:INBOX=~/inbox", extra="mbox_write_locks = fcntl\n")


def home(spool: Dovecot, user: str) -> Path:
    return spool.root / "mail" / user


def age(spool: Dovecot, user: str) -> None:
    """As if the last write were some time ago: a file that was just written is not read yet."""
    for path in [home(spool, user) / "inbox", *(home(spool, user) / "mail").rglob("*")]:
        if path.is_file():
            past = path.stat().st_mtime - 100
            os.utime(path, (past, past))


def save(spool: Dovecot, user: str, folder: str, text: bytes, flags: str = "", received: int = 1_700_000_000) -> None:
    when = time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime(received))

    with imaplib.IMAP4("127.0.0.1", spool.port) as client:
        client.login(user, f"pw-{user}")
        client.create(folder)
        client.append(folder, flags or None, f'"{when}"', text)


def fill(spool: Dovecot, user: str, seed: int, number: int) -> Counter[Seen]:
    """Save messages through the server itself; gives what was saved."""
    chance = random.Random(seed)
    flags = ("\\Seen", "\\Answered", "\\Flagged", "\\Draft", "\\Deleted", "$Forwarded", "own-label")
    folders = {"INBOX": "INBOX", "Work": "Work", '"Gr&APYA3w-e"': "Größe", "deep/er": "deep/er"}
    saved: Counter[Seen] = Counter()
    with imaplib.IMAP4("127.0.0.1", spool.port) as client:
        client.login(user, f"pw-{user}")
        for folder in tuple(folders)[1:]:
            client.create(folder)
        client.subscribe("deep/er")
        for count in range(number):
            text = message(chance, count).replace(b"\0", b"x") + b"From a line of text\n\nFrom here on\n"
            received = chance.randrange(10**9, 17 * 10**8)
            when = time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime(received))
            kept = frozenset(flag for flag in flags if chance.random() < 0.3)
            folder = chance.choice(tuple(folders))
            assert client.append(folder, f"({' '.join(kept)})", f'"{when}"', text)[0] == "OK"
            saved[Seen(folders[folder], kept, received, text.replace(b"\r", b""))] += 1
    age(spool, user)
    return saved


def copy_of(spool: Dovecot, new: Dovecot, user: str, rules: Rules | None = None) -> FilesCopy:
    place = home(spool, user)
    source = MboxEnd(HERE, PurePosixPath(place / "mail"), PurePosixPath(place / "inbox"))
    return copying(source, end(new.maildir(user)), rules)


def run(spool: Dovecot, new: Dovecot, user: str, ledger: SqlLedger, **means) -> MailboxReport:
    return copy_mailbox(copy_of(spool, new, user), Means(ledger, RealClock(), **means))


@pytest.mark.parametrize("seed", range(2))
def test_a_random_mailbox_is_the_same_on_both_sides(
    seed: int, spool: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    saved = fill(spool, user, seed, 80)
    prepared(new, user)
    before = {path: path.read_bytes() for path in home(spool, user).rglob("*") if path.is_file()}
    report = run(spool, new, user, ledger)
    assert (report.state, report.words, report.tally.copied) == (State.DONE, "", 80)
    assert {path: path.read_bytes() for path in before} == before
    assert new.seen(user) == saved
    assert "deep/er" in new.doveadm("mailbox", "list", "-s", "-u", user).splitlines()
    age(spool, user)
    assert verify_mailbox(copy_of(spool, new, user), Means(ledger, RealClock())).grade is Grade.PERFECT
    again = run(spool, new, user, ledger)
    assert (again.tally.new, again.tally.copied, again.tally.balanced) == (0, 80, True)


def test_a_target_in_use_only_gets_what_is_missing(spool: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    fill(spool, user, 5, 40)
    prepared(new, user)
    run(spool, new, user, ledger)
    new.doveadm("flags", "add", "-u", user, "\\Answered Mine", "mailbox", "INBOX", "1:3")
    new.doveadm("expunge", "-u", user, "mailbox", "Work", "1:2")
    there = shown(new, user)
    spool.doveadm("flags", "add", "-u", user, "\\Flagged Theirs", "mailbox", "INBOX", "ALL")
    spool.doveadm("expunge", "-u", user, "mailbox", "INBOX", "1")
    save(spool, user, "INBOX", b"Message-ID: <late@x>\n\nlate\n")
    age(spool, user)
    report = run(spool, new, user, ledger)
    assert (report.state, report.tally.new, report.tally.balanced) == (State.DONE, 1, True)
    after = shown(new, user)
    assert not there - after
    assert [text for _, _, _, text in after - there] == ["Message-ID: <late@x>\n\nlate\n"]


def test_a_lost_ledger_adds_nothing_to_a_target_that_holds_all(
    spool: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(spool, user, 6, 50)
    prepared(new, user)
    run(spool, new, user, ledger)
    spool.doveadm("flags", "add", "-u", user, "\\Seen", "mailbox", "INBOX", "ALL")  # writes every header anew
    age(spool, user)
    there = shown(new, user)
    other = SqlLedger("sqlite://", RealClock())
    report = run(spool, new, user, other)
    assert (report.state, report.tally.recognised) == (State.DONE, 50)
    assert shown(new, user) == there
    other.close()


def test_an_unchanged_mbox_is_not_read_again(spool: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    fill(spool, user, 7, 20)
    prepared(new, user)
    run(spool, new, user, ledger)
    inbox = home(spool, user) / "inbox"
    times = inbox.stat()
    inbox.write_bytes(b"no mbox any more".ljust(times.st_size))
    os.utime(inbox, (times.st_atime, times.st_mtime))
    report = run(spool, new, user, ledger)
    assert (report.state, report.tally.copied) == (State.DONE, 20)


def test_equal_messages_stay_as_many_as_they_are(spool: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    for _ in range(3):
        save(spool, user, "INBOX", b"Subject: cron\n\nthe same\n")
    age(spool, user)
    prepared(new, user)
    assert run(spool, new, user, ledger).tally.copied == 3
    save(spool, user, "INBOX", b"Subject: cron\n\nthe same\n")
    age(spool, user)
    assert run(spool, new, user, ledger).tally.new == 1
    assert sum(shown(new, user).values()) == 4


def test_one_file_is_inbox(spool: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    save(spool, user, "INBOX", b"Message-ID: <1@x>\n\nbody\n", "\\Seen")
    age(spool, user)
    prepared(new, user)
    source = MboxEnd(HERE, PurePosixPath(home(spool, user) / "inbox"))
    report = copy_mailbox(copying(source, end(new.maildir(user))), Means(ledger, RealClock()))
    assert (report.state, report.tally.copied) == (State.DONE, 1)
    assert shown(new, user) == shown(spool, user)


def test_a_file_that_is_being_written_is_waited_for(spool: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    save(spool, user, "INBOX", b"Message-ID: <1@x>\n\nbody\n")
    prepared(new, user)
    inbox = home(spool, user) / "inbox"
    now = time.time()  # noqa: TID251 - the machine's own
    os.utime(inbox, (now + 1000, now + 1000))
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            age(spool, user)
            os.utime(inbox, (now - 100, now - 100))

    report = run(spool, new, user, ledger, sleep=sleep)
    assert (report.state, len(naps)) == (State.DONE, 3)
    os.utime(inbox, (now + 1000, now + 1000))
    report = run(spool, new, user, ledger, sleep=lambda _: None)
    assert report.state is State.FAILED
    assert "keeps being written" in report.words


def test_a_path_that_leads_nowhere_is_no_empty_mailbox(
    spool: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    prepared(new, user)
    report = run(spool, new, user, ledger)
    assert report.state is State.SUSPECT
    allowed = replace(copy_of(spool, new, user), rules=Rules(may_be_empty=True))
    assert copy_mailbox(allowed, Means(ledger, RealClock())).state is State.DONE
