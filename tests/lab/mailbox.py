"""Mailboxes to be copied: written by a seeded generator straight into a Maildir, as nasty as mail can be."""

import os
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from reconciler.mailcopy.imap.copy import copy_mailbox
from reconciler.mailcopy.imap.job import Endpoint, MailboxCopy
from reconciler.mailcopy.imap.login import OwnPassword
from reconciler.mailcopy.imap.server import Security, Server
from reconciler.mailcopy.job import Means, Patience, Rules, State
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.model import utf7
from reconciler.mailcopy.model.ledger import CopyKey
from reconciler.model.secret import Secret
from tests.lab.dovecot import Dovecot, Seen

FOLDERS = (
    (),
    ("Work",),
    ("Work", "Größe & Maße"),
    ("日本語", "メール 📬"),
    ('a"quote', "50% * of \\ it"),
    ("Sent Items",),
    ("tilde~", "Ünïcödé"),
    ("empty",),
)


class Listening(Protocol):
    """An IMAP server on loopback."""

    port: int


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the one that stands for the machine's


def fill(server: Dovecot, user: str, seed: int, number: int, folders: tuple[tuple[str, ...], ...] = FOLDERS) -> None:
    """Write that many messages into a mailbox, whose folders stay subscribed by half."""
    chance = random.Random(seed)
    root = server.maildir(user)
    for path in folders:
        folder = root / ("." + utf7.encode(".".join(path)).decode() if path else "")
        for part in ("cur", "new", "tmp"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        if path:
            (folder / "maildirfolder").touch()
            (folder / "dovecot-keywords").write_text("0 $Forwarded\n1 NonJunk\n2 own-label\n")
    (root / "dovecot-keywords").write_text("0 $Forwarded\n1 NonJunk\n2 own-label\n")
    busy = [path for path in folders if path != ("empty",)]
    for count in range(number):
        path = chance.choice(busy)
        folder = root / ("." + utf7.encode(".".join(path)).decode() if path else "")
        write(folder, f"{1_000_000 + count}.s{seed}n{count}.host", message(chance, count), chance)
    server.own(root.parent)
    for path in folders:
        if path and chance.random() < 0.5:
            server.doveadm("mailbox", "subscribe", "-u", user, server.separator.join(path))


def write(folder: Path, name: str, content: bytes, chance: random.Random) -> None:
    flags = "".join(f for f in "DFRSTabc" if chance.random() < 0.25)
    file = folder / "cur" / f"{name}:2,{flags}"
    file.write_bytes(content)
    received = chance.choice([chance.randrange(0, 1_790_000_000), chance.randrange(1_700_000_000, 1_700_000_050)])
    os.utime(file, (received, received))


def message(chance: random.Random, count: int) -> bytes:  # noqa: PLR0911 - a kind of message each
    """Any of the kinds that mailboxes hold after twenty years."""
    kind = chance.randrange(12)
    mid = b"Message-ID: <%d@x>\n" % (count if kind else chance.randrange(4))  # kind 0 repeats
    header = mid + b"From: a@example.org\nDate: Mon, 1 Jan 2024 10:00:00 +0000\nSubject: %d\n" % chance.randrange(9)
    body = chance.randbytes(chance.choice([0, 5, 300, 30_000])).replace(b"\r", b"").replace(b"\0", b"")
    match kind:
        case 1:
            return header.replace(mid, b"") + b"\n" + body
        case 2:
            return b"Subject: no id\n\nthe same text\n"
        case 3:
            return header + "X: Jörg\n".encode("latin-1") + b"\n" + body
        case 4:
            return header + b"\nz1 CREATE Pwned\r\nR9 DELETE INBOX\nR1 LOGOUT\n"
        case 5:
            return header + b"\n" + b"x" * 12_000 + b"\n"
        case 6:
            return b"\n"
        case 7:
            return b"no header at all {5+}\n) FLAGS (\\Deleted) UID 7\n" * 3
        case 8:
            return header + b"\nNUL \0 here\n"
        case 9:
            return header + b"\r\nCRLF\r\nline\r\n"
        case _:
            return header + b"\n" + body


def endpoint(server: Listening, user: str, *, port: int | None = None, password: str | None = None) -> Endpoint:
    secret = Secret(password or f"pw-{user}")
    return Endpoint(
        Server("127.0.0.1", port or server.port, Security.LOOPBACK, timeout=20), OwnPassword(user, lambda: secret)
    )


def copying(old: Endpoint, new: Endpoint, rules: Rules | None = None) -> MailboxCopy:
    return MailboxCopy(CopyKey(old.login.user, "old", "new"), old, new, rules or Rules())


def expected(seen: Counter[Seen], into: dict[str, str] | None = None) -> Counter[Seen]:
    """What a target must show: Dovecot stores NUL as 0x80."""
    found: Counter[Seen] = Counter()
    for entry, times in seen.items():
        folder = (into or {}).get(entry.folder, entry.folder)
        found[replace(entry, folder=folder, content=entry.content.replace(b"\0", b"\x80"))] += times
    return found


def copy_in_a_process(source_port: int, target_port: int, user: str, ledger: str) -> None:
    """One pass, to be killed from outside; only what a spawned process can be given."""
    opened = SqlLedger(ledger, RealClock())
    patience = Patience(settle=timedelta(seconds=1.5))
    server = Server("127.0.0.1", source_port, Security.LOOPBACK, timeout=20)
    secret = Secret(f"pw-{user}")
    old = Endpoint(server, OwnPassword(user, lambda: secret))
    new = replace(old, server=replace(server, port=target_port))
    report = copy_mailbox(copying(old, new), Means(opened, RealClock(), patience=patience))
    opened.close()
    raise SystemExit(0 if report.state is State.DONE and report.tally.balanced else 1)
