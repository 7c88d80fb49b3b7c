"""A machine whose mail files are at hand: this one, or one behind SSH."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Final

from reconciler.errors import MailError, ObserveError, WriteError
from reconciler.mailcopy.model.limits import Limits
from reconciler.ports import Transport

_FULL: Final = ("No space left on device", "no space left on device", "Disk quota exceeded", "disk quota exceeded")


class MachineFailed(MailError):  # noqa: N818 - what happened, as the others
    """A program or a file of the machine failed. ``full``: there is no room left."""

    def __init__(self, message: str) -> None:
        """Tell a full disk by the system's words."""
        self.full = any(words in message for words in _FULL)
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Machine:
    """``host`` and ``port`` tell machines apart; ``limits.connections`` are mailboxes at a time."""

    transport: Transport
    host: str = "this machine"
    port: int = 0
    limits: Limits = field(default_factory=lambda: Limits(connections=4))

    def run(self, what: str, program: Sequence[str], *arguments: str, stdin: bytes = b"") -> bytes:
        """Run one of our programs; ``what`` says it for people, as in ``the messages of /var/vmail/ann/Maildir``.

        Raises:
            MachineFailed: it could not be run or ended with an error; it may have done its work all the same.

        """
        argv = [*program, *arguments]
        try:
            return self.transport.run(argv, stdin=stdin)
        except (ObserveError, WriteError) as error:
            raise MachineFailed(str(error).replace(shlex.join(argv), what)) from error

    def read(self, paths: Sequence[PurePath]) -> Mapping[PurePath, bytes]:
        """Whole files, those of them that are there.

        Raises:
            MachineFailed: one cannot be read.

        """
        try:
            return self.transport.read_many(paths) if paths else {}
        except ObserveError as error:
            raise MachineFailed(str(error)) from error

    def __str__(self) -> str:
        """For people."""
        return self.host
