"""Mailboxes on servers without a doveadm, seen and filled by the standard library's imaplib: not by what is tested."""

import contextlib
import imaplib
import itertools
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator

from tests.lab.dovecot import Seen
from tests.lab.patience import PATIENCE

UNPACKED = "/usr/local/lib/imap-servers"
"""Where .ci/debian-packages puts the servers that cannot be installed beside Dovecot."""

_FLAGS = re.compile(rb"FLAGS \(([^)]*)\)")
_DATE = re.compile(rb'INTERNALDATE "[^"]*"')
_LISTED = re.compile(rb'\(([^)]*)\) (?:"(.)"|NIL) (?:"((?:[^"\\]|\\.)*)"|(\S+))\Z')


@contextlib.contextmanager
def logged_in(port: int, user: str, password: str | None = None) -> Iterator[imaplib.IMAP4]:
    client = imaplib.IMAP4("127.0.0.1", port, timeout=PATIENCE)
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # it sends a message and its end apart
    try:
        client.login(user, password or f"pw-{user}")
        yield client
    finally:
        client.logout()


def folders(client: imaplib.IMAP4, *, subscribed: bool = False) -> set[str]:
    """Selectable names as on the wire, in modified UTF-7."""
    _, rows = client.lsub() if subscribed else client.list()
    found = set()
    for row in rows:
        line = b"".join(row) if isinstance(row, tuple) else row
        match = _LISTED.match(re.sub(rb" \{\d+\}", b" ", line)) if line else None
        if match and b"\\noselect" not in match[1].lower() and b"\\nonexistent" not in match[1].lower():
            found.add(re.sub(rb"\\(.)", rb"\1", match[3] if match[3] is not None else match[4]).decode("ascii"))
    return found


def quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def put(client: imaplib.IMAP4, folder: str, content: bytes, flags: str = "", received: float = 1_700_000_000) -> None:
    """Add a message; a NO or BAD fails the test."""
    answer, words = client.append(quoted(folder), f"({flags})", imaplib.Time2Internaldate(received), content)
    assert answer == "OK", words


def seen(client: imaplib.IMAP4) -> Counter[Seen]:
    """The whole mailbox, folders by their names on the wire, lines without CR as Dovecot.seen gives them."""
    found: Counter[Seen] = Counter()
    for folder in folders(client):
        answer, words = client.select(quoted(folder), readonly=True)
        assert answer == "OK", (folder, words)
        _, rows = client.fetch("1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])") if words != [b"0"] else ("OK", [])
        for row, rest in itertools.pairwise([*rows, b""]):
            if not isinstance(row, tuple):
                continue
            said = row[0] + (rest if isinstance(rest, bytes) else b"")  # the attributes come in any order
            flags, date = _FLAGS.search(said), _DATE.search(said)
            assert flags, said
            assert date, said
            kept = frozenset(flag for flag in flags[1].decode().split() if flag.lower() != "\\recent")
            received = imaplib.Internaldate2tuple(date[0])
            assert received, said
            found[Seen(folder, kept, int(time.mktime(received)), row[1].replace(b"\r", b""))] += 1
    return found


def answers(port: int) -> bool:
    """Whether an IMAP server greets."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as plug:
            return plug.recv(10).startswith(b"* OK")
    except OSError:
        return False
