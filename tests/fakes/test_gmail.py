import imaplib
from collections.abc import Iterator

import pytest

from tests.fakes.gmail import Gmail
from tests.fakes.gmail_store import Mailbox

BODY = b"Message-ID: <1@x>\r\nSubject: s\r\n\r\ntext\r\n"


@pytest.fixture
def server() -> Iterator[Gmail]:
    made = Gmail(ann=Mailbox("Work", "Muy Importante"))
    yield made
    made.stop()


@pytest.fixture
def client(server: Gmail) -> Iterator[imaplib.IMAP4]:
    opened = imaplib.IMAP4("127.0.0.1", server.port)
    opened.login("ann", "pw-ann")
    yield opened
    opened.logout()


def test_a_message_is_shown_in_every_labels_folder_under_one_number(server: Gmail, client: imaplib.IMAP4) -> None:
    mail = server.mailboxes["ann"].put(BODY, "\\Inbox", "\\Important", "Work", "Muy Importante")
    shown = {}
    for folder in ("INBOX", '"[Gmail]/All Mail"', "Work"):
        client.select(folder, readonly=True)
        shown[folder] = client.uid("FETCH", "1:*", "(X-GM-MSGID X-GM-LABELS)")[1][0]
    number = f"1 (X-GM-MSGID {mail.number} X-GM-LABELS ".encode()
    assert shown == {
        "INBOX": number + rb'("Muy Importante" Work "\\Important"))',
        '"[Gmail]/All Mail"': number + rb'("Muy Importante" Work "\\Important" "\\Inbox"))',
        "Work": number + rb'("Muy Importante" "\\Important" "\\Inbox"))',
    }
    assert client.status('"[Gmail]/Spam"', "(MESSAGES)")[1] == [
        b'"[Gmail]/Spam" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 7 HIGHESTMODSEQ 2)'
    ]


def test_what_is_added_twice_is_kept_once_with_both_labels(server: Gmail, client: imaplib.IMAP4) -> None:
    when = '"02-Mar-2026 08:00:00 +0000"'
    assert client.append("INBOX", "(\\Seen)", when, BODY)[0] == "OK"
    assert client.append("Work", "()", when, BODY)[1][0].startswith(b"[APPENDUID 7 1]")
    (mail,) = server.mailboxes["ann"].mail.values()
    assert (mail.labels, mail.flags) == ({"\\Inbox", "Work"}, {"\\Seen"})


def test_spam_and_trash_are_shown_nowhere_else(server: Gmail) -> None:
    box = server.mailboxes["ann"]
    mail = box.put(BODY, "\\Inbox", "Work")
    box.move(mail, "[Gmail]/Trash")
    assert [folder for folder in box.folders if box.uids(folder)] == ["[Gmail]/Trash"]
    box.move(mail, "")
    assert {f: [*box.uids(f).values()] for f in box.folders if box.uids(f)} == {
        "INBOX": [2],
        "Work": [2],
        "[Gmail]/All Mail": [2],
    }
