"""What a server's NO or BYE means for the copy, from its response code and its words (RFC 3501, 7.1; RFC 5530)."""

import re
from datetime import timedelta
from enum import Enum

_CODE = re.compile(r"\[([A-Z0-9-]+)")
_BACKOFF = re.compile(r"Backoff Time: (\d+) milliseconds", re.IGNORECASE)


_IN_A_ROW = 3
"""Messages refused one after the other in words of a pause, before they are taken for one."""


class Meaning(Enum):
    """What to do about it."""

    MESSAGE = "message"  # this message is the trouble; the others may go
    FULL = "full"  # the mailbox or its server is full
    SLOW_DOWN = "slow down"  # come back later
    USED_UP = "used up"  # the volume that a provider allows in a day; it takes hours, whatever code it says so with
    FOLDER = "folder"  # no message will get in
    LOST = "lost"  # the folder or the message is not there any more


_MEANINGS = {
    "OVERQUOTA": Meaning.FULL,
    "LIMIT": Meaning.SLOW_DOWN,
    "THROTTLED": Meaning.SLOW_DOWN,
    "UNAVAILABLE": Meaning.SLOW_DOWN,
    "INUSE": Meaning.SLOW_DOWN,
    "SERVERBUG": Meaning.SLOW_DOWN,
    "CONTACTADMIN": Meaning.FOLDER,
    "NOPERM": Meaning.FOLDER,
    "CANNOT": Meaning.FOLDER,
    "READ-ONLY": Meaning.FOLDER,
    "TRYCREATE": Meaning.LOST,
    "NONEXISTENT": Meaning.LOST,
    "EXPUNGEISSUED": Meaning.LOST,
    "TOOBIG": Meaning.MESSAGE,
    "BADCHARSET": Meaning.MESSAGE,
    "PARSE": Meaning.MESSAGE,
}

_VOLUME = re.compile(r"bandwidth limit|daily.{0,20}limit", re.IGNORECASE)
"""Gmail: ``NO [OVERQUOTA] Account exceeded command or bandwidth limits.``, to a FETCH or a login."""

_THROTTLED = re.compile(r"\[(?:LIMIT|THROTTLED)\]|throttl|too many|rate limit|bandwidth", re.IGNORECASE)

_WORDS = (
    (re.compile(r"quota|disk full|no space|out of storage|mailbox.{0,20} full", re.IGNORECASE), Meaning.FULL),
    (
        re.compile(r"throttl|too many|rate limit|bandwidth|exceeded.{0,20}limit|try again", re.IGNORECASE),
        Meaning.SLOW_DOWN,
    ),
)


def meaning(words: str) -> Meaning:
    """By the response code, else by the words that servers without codes use, else the message."""
    if _VOLUME.search(words):
        return Meaning.USED_UP
    code = _CODE.match(words)
    if code and code[1] in _MEANINGS:
        return _MEANINGS[code[1]]
    return next((found for pattern, found in _WORDS if pattern.search(words)), Meaning.MESSAGE)


def throttled(words: str) -> bool:
    """Whether the server says that it was asked too much, so that the same will be fine later."""
    return _THROTTLED.search(words) is not None


class Pauses:
    """Words of a pause that are said to single messages.

    To one message while others pass they are about that message; three in a row mean the connection.
    """

    def __init__(self) -> None:
        """Nothing is refused yet."""
        self.words = ""
        self._in_a_row = 0

    def asks(self, words: str) -> bool:
        """Count a message that was refused alone; True if the words ask for a pause."""
        if meaning(words) not in {Meaning.SLOW_DOWN, Meaning.USED_UP}:
            return False
        self.words = words
        self._in_a_row += 1
        return True

    @property
    def believed(self) -> bool:
        """Whether it is the connection that is to pause."""
        return self._in_a_row >= _IN_A_ROW

    def passed(self) -> None:
        """A message got through."""
        self._in_a_row = 0


def asked_to_wait(words: str) -> timedelta | None:
    """How long the server asks to stay away; Exchange says ``Suggested Backoff Time: 299961 milliseconds``."""
    match = _BACKOFF.search(words)
    return timedelta(milliseconds=int(match[1])) if match else None


def backoff(attempt: int, words: str = "") -> timedelta:
    """How long to stay away after the nth failure in a row (from 1): what the server asks, else 2, 4, 8… 300 s."""
    return asked_to_wait(words) or timedelta(seconds=min(300, 2**attempt))


def fit_for_people(words: str, *secrets: str) -> str:
    """The server's words on one line, without control characters and without any secret it may have echoed."""
    plain = "".join(c if c.isprintable() else " " for c in words)
    for secret in secrets:
        if secret:
            plain = plain.replace(secret, "***")
    return " ".join(plain.split())[:300]
