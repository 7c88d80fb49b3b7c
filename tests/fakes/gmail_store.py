"""A mailbox as Gmail keeps it: messages with labels, shown as folders that have UIDs of their own."""

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

SPECIAL = {
    "[Gmail]/All Mail": "\\All",
    "[Gmail]/Drafts": "\\Drafts",
    "[Gmail]/Important": "\\Important",
    "[Gmail]/Sent Mail": "\\Sent",
    "[Gmail]/Spam": "\\Junk",
    "[Gmail]/Starred": "\\Flagged",
    "[Gmail]/Trash": "\\Trash",
}
LABEL_OF = {
    "INBOX": "\\Inbox",
    "[Gmail]/Drafts": "\\Draft",
    "[Gmail]/Important": "\\Important",
    "[Gmail]/Sent Mail": "\\Sent",
    "[Gmail]/Starred": "\\Starred",
}
ALONE = ("[Gmail]/Spam", "[Gmail]/Trash")
_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass
class Mail:
    """``alone``: Spam or Trash, where it lies and is shown nowhere else; labels that it had are kept."""

    number: int
    body: bytes
    date: str
    flags: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)
    alone: str = ""
    modseq: int = 1

    @property
    def identity(self) -> bytes:
        found = _MESSAGE_ID.search(self.body)
        return found[1] if found else self.body


class Mailbox:
    """``labels`` are the user's own, in modified UTF-7; every change goes through the methods."""

    def __init__(self, *labels: str) -> None:
        self.labels = [*labels]
        self.mail: dict[int, Mail] = {}
        self._numbers = count(1_278_455_344_230_334_865)
        self._uids: dict[str, dict[int, int]] = {}
        self._uidnext: Counter[str] = Counter()
        self.modseq = 1

    @property
    def folders(self) -> list[str]:
        return ["INBOX", *SPECIAL, *self.labels]

    def put(self, body: bytes, *labels: str, date: str = "02-Mar-2026 08:00:00 +0000", flags: str = "") -> Mail:
        """A message with labels, as the user sees them."""
        mail = Mail(next(self._numbers), body, date, set(flags.split()))
        self.mail[mail.number] = mail
        self.label(mail, *labels)
        return mail

    def append(self, folder: str, body: bytes, date: str, flags: set[str]) -> int:
        """As a mail program adds one: what is there already gets the label, and no second copy. Gives its UID."""
        known = {mail.identity: mail for mail in self.mail.values()}
        mail = known.get(Mail(0, body, date).identity) or self.put(body, date=date, flags=" ".join(flags))
        if folder in ALONE:
            self.move(mail, folder)
        else:
            self.label(mail, *([] if folder == "[Gmail]/All Mail" else [LABEL_OF.get(folder, folder)]))
        return self.uids(folder)[mail.number]

    def label(self, mail: Mail, *labels: str) -> None:
        mail.labels |= set(labels)
        if "\\Starred" in labels:
            mail.flags.add("\\Flagged")
        self._changed(mail)

    def unlabel(self, mail: Mail, *labels: str) -> None:
        mail.labels -= set(labels)
        self._changed(mail)

    def move(self, mail: Mail, alone: str) -> None:
        """To Spam or Trash, or out of it again."""
        mail.alone = alone
        self._changed(mail)

    def flag(self, mail: Mail, add: set[str], remove: set[str]) -> None:
        mail.flags = (mail.flags | add) - remove
        self._changed(mail)

    def uids(self, folder: str) -> dict[int, int]:
        """Message to UID, in the order of the UIDs."""
        return self._uids.get(folder, {})

    def uidnext(self, folder: str) -> int:
        return self._uidnext[folder] + 1

    def shown(self, folder: str, mail: Mail) -> list[str]:
        """The labels that a message shows in an open folder: all but that folder's own."""
        own = LABEL_OF.get(folder, folder)
        return sorted(label for label in mail.labels if label != own)

    def _holds(self, folder: str, mail: Mail) -> bool:
        if folder in ALONE or mail.alone:
            return mail.alone == folder
        return folder == "[Gmail]/All Mail" or LABEL_OF.get(folder, folder) in mail.labels

    def _changed(self, mail: Mail) -> None:
        self.modseq += 1
        mail.modseq = self.modseq
        for folder in self.folders:
            uids = self._uids.setdefault(folder, {})
            if not self._holds(folder, mail):
                uids.pop(mail.number, None)
            elif mail.number not in uids:
                self._uidnext[folder] += 1
                uids[mail.number] = self._uidnext[folder]
