"""Copies by files for the tests: ends on this machine or behind SSH, and what doveadm shows on both sides."""

import json
from collections import Counter
from pathlib import Path, PurePosixPath

from reconciler.mailcopy.either import copy_mailbox
from reconciler.mailcopy.files.job import FilesCopy, MaildirEnd, MboxEnd
from reconciler.mailcopy.files.machine import Machine
from reconciler.mailcopy.job import Means, Rules, State
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.model.ledger import CopyKey
from reconciler.mailcopy.model.maildir_layout import Layout
from reconciler.transports.local import LocalTransport
from tests.lab.dovecot import Dovecot
from tests.lab.mailbox import RealClock

HERE = Machine(LocalTransport())

Shown = tuple[str, frozenset[str], int, str]
"""Folder, flags, time of arrival, text."""


def end(path: Path, *, nested: bool = False, machine: Machine = HERE) -> MaildirEnd:
    return MaildirEnd(machine, PurePosixPath(path), Layout(nested=nested), may_be_made=True)


def copying(source: MaildirEnd | MboxEnd, target: MaildirEnd, rules: Rules | None = None, who: str = "u") -> FilesCopy:
    return FilesCopy(CopyKey(who, "old", "new"), source, target, rules or Rules())


def shown(server: Dovecot, user: str) -> Counter[Shown]:
    """The whole mailbox as the server itself reads it; folder names joined by slashes."""
    fields = "mailbox flags date.received.unixtime text"
    found: Counter[Shown] = Counter()
    for row in json.loads(server.doveadm("-f", "json", "fetch", "-u", user, fields, "ALL"), strict=False):
        kept = frozenset(flag for flag in row["flags"].split() if flag != "\\Recent")
        folder = row["mailbox"].replace(server.separator, "/")
        found[folder, kept, int(row["date.received.unixtime"]), row["text"]] += 1
    return found


def in_order(server: Dovecot, user: str) -> list[tuple[str, str]]:
    """Time of arrival and text of each message of INBOX, by UID."""
    fields = ("date.received.unixtime", "text")
    told = server.doveadm("-f", "json", "fetch", "-u", user, " ".join(fields), "mailbox", "INBOX")
    return [tuple(row[field] for field in fields) for row in json.loads(told, strict=False)]


def prepared(server: Dovecot, user: str) -> Path:
    """The Maildir of a user who has logged in once."""
    server.doveadm("mailbox", "status", "-u", user, "messages", "INBOX")
    return server.maildir(user)


def copy_in_a_process(source: str, target: str, ledger: str) -> None:
    """One pass, to be killed from outside; only what a spawned process can be given."""
    opened = SqlLedger(ledger, RealClock())
    report = copy_mailbox(copying(end(Path(source)), end(Path(target))), Means(opened, RealClock()))
    opened.close()
    raise SystemExit(0 if report.state is State.DONE and report.tally.balanced else 1)
