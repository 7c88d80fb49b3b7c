"""What a scripted IMAP server keeps: messages in folders, by the folder's name as on the wire."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace


@dataclass
class Mail:
    """One message; ``flags`` joined by spaces. ``size``: what RFC822.SIZE says where that is not the truth."""

    uid: int
    body: bytes
    flags: str = ""
    date: str = "05-Mar-2024 10:00:00 +0000"
    size: int | None = None
    modseq: int = 1

    @property
    def told_size(self) -> int:
        """What the server says of it."""
        return len(self.body) if self.size is None else self.size

    @property
    def header(self) -> bytes:
        """The header with the empty line that ends it."""
        return self.body.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"

    def fields(self, names: Iterable[bytes]) -> bytes:
        """These fields of the header, folded lines too."""
        wanted = {name.lower() for name in names}
        unfolded = re.split(rb"\r\n(?![ \t])", self.header.removesuffix(b"\r\n\r\n"))
        found = [line + b"\r\n" for line in unfolded if line.partition(b":")[0].strip().lower() in wanted]
        return b"".join(found) + b"\r\n"

    @property
    def plain_text(self) -> str:
        """The first line of its text, by which tests know it."""
        return self.body.partition(b"\r\n\r\n")[2].partition(b"\r\n")[0].decode("latin-1")


@dataclass
class Folder:
    """``attributes`` as LIST shows them. ``uidnext`` may run ahead of what is there."""

    mails: list[Mail] = field(default_factory=list)
    attributes: str = ""
    subscribed: bool = False
    uidvalidity: int = 11
    uidnext: int = 1
    modseq: int = 1

    def __post_init__(self) -> None:
        """UIDs only grow."""
        self.uidnext = max([self.uidnext, *(mail.uid + 1 for mail in self.mails)])

    @property
    def selectable(self) -> bool:
        """Whether it holds mail."""
        return "noselect" not in self.attributes.lower() and "nonexistent" not in self.attributes.lower()

    @property
    def uids(self) -> list[int]:
        """In the order of sequence numbers."""
        return [mail.uid for mail in self.mails]

    @property
    def texts(self) -> list[str]:
        """By which tests know what stands there."""
        return [mail.plain_text for mail in self.mails]

    def of(self, uid: int) -> Mail:
        """The message of a UID."""
        return next(mail for mail in self.mails if mail.uid == uid)

    def add(self, *mails: Mail) -> None:
        """Messages with UIDs of their own, as a delivery brings them."""
        self.modseq += 1
        self.mails += [replace(mail, modseq=self.modseq) for mail in mails]
        self.uidnext = max([self.uidnext, *(mail.uid + 1 for mail in mails)])

    def take(self, flags: str, date: str, body: bytes) -> int:
        """A new message at the end; gives its UID."""
        uid = self.uidnext
        self.add(Mail(uid, body, flags, date))
        return uid

    def flag(self, uid: int, flags: str) -> None:
        """The flags of a message are these from now on."""
        self.modseq += 1
        mail = self.of(uid)
        mail.flags, mail.modseq = flags, self.modseq

    @property
    def keywords(self) -> frozenset[str]:
        """Flags in it that are not the system's."""
        return frozenset(flag for mail in self.mails for flag in mail.flags.split() if not flag.startswith("\\"))


def message(number: int, text: str = "hello", message_id: str | None = None, size: int = 0) -> bytes:
    """A message that can be told from others: by its Message-ID, its subject and its text."""
    known_as = f"m{number}@example.org" if message_id is None else message_id
    return (
        (f"Message-ID: <{known_as}>\r\n" if known_as else "")
        + f"Date: Tue, 5 Mar 2024 10:00:{number % 60:02d} +0000\r\nFrom: a@example.org\r\n"
        + f"Subject: mail {number}\r\n\r\n{text} {number}\r\n"
        + "x" * size
    ).encode()


def mails(count: int, first: int = 1, text: str = "hello", size: int = 0) -> list[Mail]:
    """So many messages, a second apart, with UIDs from ``first`` on."""
    return [
        Mail(n, message(n, text, size=size), date=f"05-Mar-2024 10:{n // 60 % 60:02d}:{n % 60:02d} +0000")
        for n in range(first, first + count)
    ]
