"""A whole mail server on loopback: Postfix, Dovecot and OpenDKIM, as an administrator would have put them together.

Mail comes in at ``address`` on the lab's SMTP port and is delivered over LMTP by Dovecot; what Sieve forwards goes back
to Postfix. Unknown addresses are refused with 550. Users submit after a login, and what they submit is signed.
"""

import os
import re
import shutil
import smtplib
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from pathlib import Path

from tests.lab.loopback import SMTP, SUBMISSION
from tests.lab.mail_server_dovecot import MailDovecot
from tests.lab.mail_server_opendkim import OpenDkim
from tests.lab.mail_server_postfix import Postfix
from tests.lab.patience import PATIENCE

HISTORY = "X-History"
"""The header, with its number, of a message that lay in a mailbox before the move."""
_FOLDERS = ("", ".Sent", ".Archive", ".Archive.2024", ".Projekte &- Ma&AN8-e")
_DELIVERED = re.compile(r"(\d+)\.M(\d+)P")  # how Dovecot names a new file: seconds, then microseconds


@dataclass(frozen=True)
class Stored:
    """One message in a Maildir; ``at``: when it was delivered, in seconds since the epoch."""

    mailbox: str
    at: float
    headers: Mapping[str, str]
    file: Path


class MailServer:
    """One server. ``routes``: domain to ``ADDRESS:PORT`` of its MTA; ``alias_domains`` have aliases, no mailboxes."""

    def __init__(self, host: str, address: str, routes: Mapping[str, str], alias_domains: tuple[str, ...] = ()) -> None:
        self.host, self.address = host, address
        self.dovecot = MailDovecot(host.split(".")[1], address=address, host=host)
        self.root = self.dovecot.root
        self.opendkim = OpenDkim(self.root / "opendkim", address)
        self.postfix = Postfix(
            self.root / "postfix",
            host,
            address,
            self.dovecot.lmtp,
            self.dovecot.auth,
            self.opendkim.milter,
            routes,
            alias_domains,
        )
        self._passwords: dict[str, str] = {}

    def serve(self, domain: str, accounts: Mapping[str, str], virtual: Mapping[str, str]) -> list[str]:
        """Be set up for a domain by hand: accounts with their passwords, aliases and catch-all; gives the hashes."""
        hashes = [self.dovecot.add_account(user, password) for user, password in accounts.items()]
        self.postfix.map("domains", {domain: "OK"})
        self.postfix.map("mailboxes", {user: f"{user}/" for user in accounts})
        self.postfix.map("virtual", virtual)
        return hashes

    def fill(self, user: str, messages: int) -> None:
        """Give a mailbox its history: in some folders, with flags and dates of earlier years."""
        maildir = self.dovecot.home(user) / "Maildir"
        for folder in _FOLDERS:
            for part in ("cur", "new", "tmp"):
                (maildir / folder / part).mkdir(parents=True)
            (maildir / folder / "dovecot-keywords").write_text("0 $Forwarded\n1 private\n")
            if folder:
                (maildir / folder / "maildirfolder").touch()
        for number in range(messages):
            current = maildir / _FOLDERS[number % len(_FOLDERS)] / "cur"
            at = 1_600_000_000 + number * 1_000
            file = current / f"{at}.M{number}P1.history:2,{('S', 'RS', 'FS', 'Sa', '')[number % 7 % 5]}"
            file.write_text(
                f"From: <somebody@elsewhere.example>\nTo: <{user}>\nSubject: Number {number} of long ago\n"
                f"Message-ID: <{number}.history@elsewhere.example>\n{HISTORY}: {number}\n\n"
                f"{'It was so. ' * (number % 60)}\n"
            )
            os.utime(file, (at, at))
        self.dovecot.own(self.dovecot.home(user))

    def start(self) -> "MailServer":
        self.opendkim.start()
        self.dovecot.start()
        self.postfix.start()
        return self

    def stop(self) -> None:
        self.postfix.stop()
        self.dovecot.stop()
        self.opendkim.stop()

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def options(self) -> dict[str, object]:
        """As a spec describes this server."""
        uid, gid = self.dovecot.owner
        return {
            "passwd_file": str(self.dovecot.users),
            "virtual_alias_maps": f"hash:{self.postfix.root / 'virtual'}",
            "virtual_mailbox_domains": f"hash:{self.postfix.root / 'domains'}",
            "virtual_mailbox_maps": f"hash:{self.postfix.root / 'mailboxes'}",
            "mailbox_map_value": "%u/",
            "home": str(self.dovecot.home("%u")),
            "uid": uid,
            "gid": gid,
            "opendkim": self.opendkim.options(),
        }

    def submit(self, user: str, password: str, message: EmailMessage) -> None:
        """Write as one of its users."""
        with smtplib.SMTP(self.address, SUBMISSION, "laptop.example", timeout=PATIENCE) as smtp:
            smtp.login(user, password)
            smtp.send_message(message, user)

    def answer(self, recipient: str, *, source: str) -> tuple[int, str]:
        """What it says to RCPT from outside."""
        with smtplib.SMTP(self.address, SMTP, "outside.example", PATIENCE, (source, 0)) as smtp:
            smtp.ehlo()
            smtp.mail("somebody@elsewhere.example")
            code, text = smtp.rcpt(recipient)
            return code, text.decode()

    def stored(self) -> Iterator[Stored]:
        """Every message in every inbox and folder."""
        parser = BytesHeaderParser()
        for maildir in sorted((self.root / "mail").glob("*/Maildir")):
            for file in maildir.rglob("*"):
                named = _DELIVERED.match(file.name)
                if named is None or file.parent.name not in {"new", "cur"}:
                    continue
                with file.open("rb") as content:
                    headers = dict(parser.parse(content).items())
                yield Stored(maildir.parent.name, int(named[1]) + int(named[2]) / 1e6, headers, file)

    def logs(self) -> dict[str, str]:
        """Each daemon's log so far."""
        return {"postfix": self.postfix.log(), "dovecot": self.dovecot.log(), "opendkim": self.opendkim.log()}


def settle(servers: Iterable[MailServer], patience: float = PATIENCE) -> None:
    """Wait until no server has mail in its queue, twice in a row: what one delivers may be forwarded to the other."""
    servers, empty = list(servers), 0
    deadline = time.monotonic() + patience
    while empty < 3:
        empty = 0 if any(server.postfix.queued() for server in servers) else empty + 1
        if time.monotonic() > deadline:
            listed = [
                subprocess.run(
                    ["postqueue", "-c", server.postfix.root, "-p"], capture_output=True, text=True, check=False
                ).stdout
                for server in servers
            ]
            raise AssertionError(f"mail is stuck in a queue: {listed}")
        time.sleep(0.1)
