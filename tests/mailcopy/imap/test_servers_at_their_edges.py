"""Real servers where they are at odds with what others take for granted; both sides are looked at by others' code."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import imapclient
import pytest

from reconciler.mailcopy.imap.copy import copy_mailbox
from reconciler.mailcopy.imap.job import MailboxCopy
from reconciler.mailcopy.job import MailboxReport, Means, Patience, State
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.verify import verify_mailbox
from reconciler.model.grade import Grade
from tests.lab.courier import Courier
from tests.lab.cyrus import Cyrus
from tests.lab.dovecot import Dovecot
from tests.lab.imap_client import folders, logged_in, put, seen
from tests.lab.mailbox import RealClock, copying, endpoint, fill

pytestmark = pytest.mark.daemon

ANN = "ann"


@pytest.fixture
def running() -> Iterator[Callable[..., object]]:
    """Starts servers that go with the test, each with one account."""
    made: list[Dovecot | Cyrus | Courier] = []

    def start(server):
        server.add_user(ANN)
        made.append(server)
        return server.start()

    yield start
    for server in made:
        server.remove()


def mail(number: int, folder: str) -> bytes:
    return f"Message-ID: <{folder}.{number}@x>\r\nSubject: {folder} {number}\r\n\r\nhi\r\n".encode()


def a_pass(ledger: SqlLedger) -> Means:
    patience = Patience(attempts=3, settle=timedelta(seconds=1))
    return Means(ledger, RealClock(), patience=patience, sleep=lambda _: None)


def bring(ledger: SqlLedger, old, new) -> tuple[MailboxReport, MailboxCopy]:
    job = copying(endpoint(old, ANN), endpoint(new, ANN))
    return copy_mailbox(job, a_pass(ledger)), job


def counts(port: int) -> dict[str, int]:
    with logged_in(port, ANN) as client:
        return dict(Counter(message.folder for message in seen(client).elements()))


@pytest.mark.parametrize("kind", [Courier, Cyrus])
def test_a_folder_called_inbox_below_the_prefix_inbox_is_one_of_its_own(kind: type, running, ledger: SqlLedger) -> None:
    other, dovecot = running(kind("other")), running(Dovecot("beside"))
    with logged_in(other.port, ANN) as client:
        client.select()
        for name in ("INBOX.INBOX", "INBOX.Inbox", "INBOX.Work"):
            client.create(name)
        for folder in {"INBOX", *folders(client)}:
            for number in range(3 if folder == "INBOX" else 2):
                put(client, folder, mail(number, folder))
    report, job = bring(ledger, other, dovecot)
    assert (report.state, report.tally.copied) == (State.DONE, 9)
    assert counts(dovecot.port) == {"INBOX": 3, "INBOX/INBOX": 2, "INBOX/Inbox": 2, "Work": 2}
    assert verify_mailbox(job, a_pass(ledger)).grade is Grade.PERFECT


@pytest.mark.parametrize("kind", [Courier, Cyrus])
def test_nothing_comes_into_a_folder_called_inbox_that_stands_on_the_target(
    kind: type, running, ledger: SqlLedger
) -> None:
    other, dovecot = running(kind("other")), running(Dovecot("beside"))
    with logged_in(other.port, ANN) as client:
        client.select()
        client.create("INBOX.INBOX")
    with logged_in(dovecot.port, ANN) as client:
        client.create("INBOX/INBOX")
        for folder in ("INBOX", "INBOX/INBOX"):
            for number in range(2):
                put(client, folder, mail(number, folder))
    report, job = bring(ledger, dovecot, other)
    assert report.state is State.DONE
    assert counts(other.port) == {"INBOX": 2, "INBOX.INBOX": 2}
    assert verify_mailbox(job, a_pass(ledger)).grade is Grade.PERFECT


def test_more_keywords_than_a_folder_of_cyrus_holds_are_left_off_and_told(running, ledger: SqlLedger) -> None:
    dovecot, cyrus = running(Dovecot("old")), running(Cyrus("new"))
    with logged_in(cyrus.port, ANN) as client:
        client.select()
    with logged_in(dovecot.port, ANN) as client:
        for number in range(140):
            put(client, "INBOX", mail(number, "INBOX"), f"\\Seen kw{number}")
        client.create("Work")
        put(client, "Work", mail(1, "Work"), "\\Flagged")
    report, job = bring(ledger, dovecot, cyrus)
    assert (report.state, report.tally.copied, report.refusals) == (State.DONE, 141, ())
    with logged_in(cyrus.port, ANN) as client:
        held = list(seen(client).elements())
    assert all("\\Seen" in message.flags for message in held if message.folder == "INBOX")
    kept = sum(any(flag.startswith("kw") for flag in message.flags) for message in held)
    assert 90 < kept <= 128
    (inbox,) = (account for account in report.accounts if account.folder == "INBOX")
    assert len(inbox.notes) == 140 - kept
    assert all("without the flag kw" in note and "Too many user flags" in note for note in inbox.notes)
    assert verify_mailbox(job, a_pass(ledger)).grade is Grade.GOOD


@pytest.mark.parametrize("wrong", [1, 12])
def test_maildir_files_whose_size_is_wrong_in_their_name_are_refused_and_all_others_come(
    wrong: int, running, ledger: SqlLedger
) -> None:
    """Dovecot ends the connection at each of them, when it lists it and when it reads it."""
    old, new = running(Dovecot("old", separator=".")), running(Dovecot("new"))
    root = old.maildir(ANN)
    for folder, number in (("", 60), (".Work", 3)):
        (root / folder / "cur").mkdir(parents=True, exist_ok=True)
        for n in range(number):
            text = f"Message-ID: <{folder}{n}@x>\nSubject: {folder} {n}\n\nhi\n".encode()
            size = len(text) + (300 if not folder and n < wrong else 0)
            (root / folder / "cur" / f"17{n:05d}.{len(folder)}.h,S={size}:2,S").write_bytes(text)
    old.own(root.parent)
    report, _ = bring(ledger, old, new)
    assert (report.state, report.tally.copied, report.tally.refused) == (State.DONE, 63 - wrong, wrong)
    assert {refusal.uid for refusal in report.refusals} == set(range(1, wrong + 1))
    assert counts(new.port) == {"INBOX": 60 - wrong, "Work": 3}


@pytest.fixture
def every_message() -> Iterator[Path]:
    """The folder of a virtual namespace in which one folder shows all messages."""
    place = Path(tempfile.mkdtemp(prefix="virtual-", dir="/dev/shm"))
    every = place / "Every"
    every.mkdir()
    (every / "dovecot-virtual").write_text("*\n  all\n")
    for path in (place, every, every / "dovecot-virtual"):
        path.chmod(0o777)
    yield place
    shutil.rmtree(place)


def test_a_folder_of_dovecots_virtual_plugin_is_left_out_with_a_line(
    running, ledger: SqlLedger, every_message: Path
) -> None:
    extra = (
        "mail_plugins = virtual\nprotocol imap {\n  mail_plugins = virtual\n}\n"
        f"namespace virtual {{\n  prefix = seen.\n  separator = .\n  location = virtual:{every_message}\n}}\n"
    )
    old, new = running(Dovecot("old", separator=".", extra=extra)), running(Dovecot("new"))
    with logged_in(old.port, ANN) as client:
        client.create("Work")
        for folder in ("INBOX", "Work"):
            put(client, folder, mail(1, folder))
    report, job = bring(ledger, old, new)
    assert report.state is State.DONE
    assert counts(new.port) == {"INBOX": 1, "Work": 1}
    assert [account.rule for account in report.accounts if account.rule] == ["it shows messages of other folders"]
    assert verify_mailbox(job, a_pass(ledger)).grade in {Grade.PERFECT, Grade.GOOD}


def looked_at(port: int) -> Counter[tuple[str, bytes, int]]:
    """Folder, Message-ID field and size of each message, by imapclient's own calls and parser."""
    found: Counter[tuple[str, bytes, int]] = Counter()
    with imapclient.IMAPClient("127.0.0.1", port, ssl=False) as client:
        client.login(ANN, f"pw-{ANN}")
        for attributes, separator, name in client.list_folders():
            if b"\\Noselect" in attributes or b"\\NonExistent" in attributes:
                continue
            client.select_folder(name, readonly=True)
            field = b"BODY[HEADER.FIELDS (MESSAGE-ID)]"
            rows = client.fetch(client.search("ALL"), ["RFC822.SIZE", "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"])
            path = "|".join(name.split(separator.decode()))
            found.update((path, row[field].strip(), row[b"RFC822.SIZE"]) for row in rows.values())
    return found


def test_folders_message_ids_and_sizes_are_equal_to_other_eyes(running, ledger: SqlLedger) -> None:
    old, new = running(Dovecot("old", separator=".")), running(Dovecot("new"))
    fill(old, ANN, 77, 250)
    report, _ = bring(ledger, old, new)
    here = looked_at(old.port)
    empty_of_octets = sum(not size for _, _, size in here.elements())
    assert report.tally.refused == empty_of_octets
    assert looked_at(new.port) == here
    assert sum(here.values()) == report.tally.count == 250
