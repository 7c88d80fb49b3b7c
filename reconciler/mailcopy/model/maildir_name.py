"""What the file name of a message in a Maildir says, and how the copy of a message is called.

``BASE:2,LETTERS``: the base names the message for as long as it lives, the letters are its flags in ASCII order. Of
these a-z are keywords, which a file ``dovecot-keywords`` beside the messages gives a meaning: a letter means another
keyword in every folder. Source: cr.yp.to/proto/maildir.html; Dovecot 2.3, Maildir mailbox format.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from reconciler.mailcopy.model.flags import portable

MOST_KEYWORDS: Final = 26
"""Letters that there are; Dovecot keeps further keywords in its index alone."""

_INFO: Final = ":2,"
_SYSTEM: Final = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted"}
_LETTERS: Final = {flag.lower(): letter for letter, flag in _SYSTEM.items()}
_SECONDS: Final = re.compile(r"[0-9]{1,11}(?=\.)")
_LINE: Final = re.compile(r"([0-9]{1,2}) (\S+)\Z")


class FileName(NamedTuple):
    """``letters``: whatever follows ``:2,``."""

    base: str
    letters: str

    @classmethod
    def parse(cls, name: str) -> "FileName":
        """Of any name; one without letters has none."""
        base, _, info = name.partition(":")
        return cls(base, info.removeprefix("2,") if info.startswith("2,") else "")

    def __str__(self) -> str:
        """As in ``cur``."""
        return f"{self.base}{_INFO}{self.letters}"

    @property
    def begun(self) -> int:
        """The seconds that most programs begin a base with; 0 without. Dovecot numbers new messages in this order."""
        found = _SECONDS.match(self.base)
        return int(found[0]) if found else 0

    def flags(self, keywords: Mapping[str, str]) -> str:
        """Portable flags; ``keywords`` by their letters. A letter without a meaning is left out."""
        known = {**_SYSTEM, **keywords}
        return portable(" ".join(known[letter] for letter in self.letters if letter in known))

    def with_flags(self, flags: str, keywords: Mapping[str, str]) -> "FileName":
        """With these flags for those that our model knows; other letters, such as P (passed), stay."""
        by_flag = {**{keyword.lower(): letter for letter, keyword in keywords.items()}, **_LETTERS}
        ours = set(_SYSTEM) | set(keywords)
        kept = {letter for letter in self.letters if letter not in ours}
        wanted = {by_flag[flag.lower()] for flag in flags.split() if flag.lower() in by_flag}
        return FileName(self.base, "".join(sorted(kept | wanted)))


def number_of(name: str) -> int:
    """The ledger knows messages by numbers: 63 bits of a digest of the name, never 0."""
    return int.from_bytes(hashlib.blake2b(_octets(name), digest_size=8).digest()) >> 1 or 1


def name_of_copy(of: Iterable[str], begun: int, size: int) -> str:
    """The base of a message's copy: always the same one for the same message, and no other program's.

    So a copy that was delivered and not written down, for we were killed in between, is known by its name. ``of``:
    what tells the message from all others. ``begun`` keeps the order; ``size`` is what Dovecot's and Courier's quota
    reads from the name.
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in of:
        digest.update(_octets(part) + b"\0")
    return f"{begun}.R{digest.hexdigest()}.reconciler,S={size}"


def keywords_in(file: bytes) -> dict[str, str]:
    """Letter to keyword, from a ``dovecot-keywords``: lines of a number from 0 and a keyword."""
    found = {}
    for line in file.decode("utf-8", "replace").splitlines():
        match = _LINE.match(line)
        if match and int(match[1]) < MOST_KEYWORDS:
            found[_letter(int(match[1]))] = match[2]
    return found


def with_keywords(file: bytes, wanted: Iterable[str]) -> bytes:
    """The file with what it lacks, each under the first free letter; lines that stand there stay as they are.

    Where there are not letters enough, the rest is left out.
    """
    standing = keywords_in(file)
    known = {keyword.lower() for keyword in standing.values()}
    free = (number for number in range(MOST_KEYWORDS) if _letter(number) not in standing)
    lines = file if not file or file.endswith(b"\n") else file + b"\n"
    missing = [keyword for keyword in wanted if keyword.lower() not in known]
    for keyword, number in zip(dict.fromkeys(missing), free, strict=False):
        lines += f"{number} {keyword}\n".encode()
    return lines


def keywords_among(flags: str) -> list[str]:
    """Those of portable flags that need a letter of their own."""
    return [flag for flag in flags.split() if flag.lower() not in _LETTERS]


def _letter(number: int) -> str:
    return chr(ord("a") + number)


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
