"""Whose turn it is at a mailbox: two copies of one mailbox at once would send its messages twice."""

from collections.abc import Collection, Mapping
from typing import Final, Protocol


class Turns(Protocol):
    """The locks on mailboxes, as one run sees them; they end with the run, however it ends.

    May be called by several threads. Every method raises JournalError where the locks cannot be read or written.
    """

    def take(self, accounts: Collection[str], /) -> Mapping[str, str]:
        """Take these, and say of the others who has them, or waits for them, in words.

        What this run has already it has once more, until it is given back as often.
        """

    def give_back(self, accounts: Collection[str], /) -> None:
        """Others may have these."""

    def wanted(self, account: str, /) -> str:
        """Why this mailbox is to be given back soon, in words; empty where nobody waits for it."""

    def wish(self, accounts: Collection[str], why: str, /) -> None:
        """Ask their holders to give these back after what they do now; until ``take`` has got them all."""


class Alone:
    """Nobody else is there: in memory, or for whoever only looks."""

    def take(self, accounts: Collection[str], /) -> Mapping[str, str]:  # noqa: ARG002 - as Turns has it
        """All of them."""
        return {}

    def give_back(self, accounts: Collection[str], /) -> None:
        """Nobody waits."""

    def wanted(self, account: str, /) -> str:  # noqa: ARG002 - as Turns has it
        """By nobody."""
        return ""

    def wish(self, accounts: Collection[str], why: str, /) -> None:
        """Nobody hears it."""


ALONE: Final = Alone()


class GiveBack(Exception):  # noqa: N818 - no error: it ends a mailbox between two batches
    """Somebody needs the mailbox, says why, and is given it; the next pass goes on."""
