"""Every exception of the project.

* ReconcilerError
  - SpecError            the YAML is wrong; nothing was contacted
  - NameInvalid          a domain name or mail address cannot be used (also a ValueError, for pydantic)
  - SecretError          a secret reference cannot be resolved; never holds the secret
  - ObserveError         a server, zone or file could not be read; nothing was changed
  - PlanError
    . DependencyCycle    resources need one another in a circle
    . PlanUnreadable     a saved plan is not one of ours, or was altered
  - ApplyError
    . StalePlan          the world changed since the plan was made; nothing of this step was written
    . StepFailed         a write failed; the journal says how far we came
    . Interrupted        a person stopped the run between two steps
    . NotServedYet       a record was written, but not every name server serves it
    . NotYet             a step was tried, and the world is not ready for it: the next plan says when
  - WriteError           a store could not write; what stood before still stands
  - Unanswered           a web API gave no whole answer; whether it made a change has to be read
  - MailError            a mailbox could not be copied to the end; what was copied stands and is in the ledger
    . ConnectionCut      the connection was lost or closed by the server; the next try goes on from there
    . LoginRefused       a server does not let us in: the mailbox is ``auth lost``
    . CommandRefused     a server said NO; its words say why
    . ProtocolBroken     a server did not understand us, or we not it; the connection was closed at once
    . MailboxSuspect     an administrator's login sees no mail where mail must be
  - JournalError
    . Locked             another run holds the lock

Every message says what, on which address or file, why it matters and what to do next.
"""

from dataclasses import dataclass


class ReconcilerError(Exception):
    """Base of every error we raise on purpose; ``str()`` of it is fit for people."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a spec; ``line`` and ``column`` count from 1, 0 means the whole file."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        """As compilers write it, so that editors can jump there."""
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}: {self.message}"


class SpecError(ReconcilerError):
    """The spec is wrong; carries all problems found, not only the first."""

    def __init__(self, *problems: Problem) -> None:
        """Keep the problems in file order."""
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class NameInvalid(ReconcilerError, ValueError):  # noqa: N818 - says what is wrong, not that something is
    """A domain name or mail address that no mail server could use."""


class SecretError(ReconcilerError):
    """A secret reference leads nowhere; the message names the reference, never the secret."""


class ObserveError(ReconcilerError):
    """Something could not be read, so nothing was planned or changed."""


class PlanError(ReconcilerError):
    """The desired state cannot be reached as asked."""


class DependencyCycle(PlanError):  # noqa: N818 - reads better without Error
    """Resources need one another in a circle."""


class PlanUnreadable(PlanError):  # noqa: N818
    """A saved plan has another format, or its digest does not fit its content."""


class ApplyError(ReconcilerError):
    """The plan was not carried out in full."""


class StalePlan(ApplyError):  # noqa: N818
    """The world no longer is what the plan was made for."""


class StepFailed(ApplyError):  # noqa: N818
    """A step could not be done; the ones before it stand and are journalled."""


class Interrupted(ApplyError):  # noqa: N818
    """A person asked to stop; the running step was finished first."""


class NotServedYet(ApplyError):  # noqa: N818
    """A record was written and stands; a name server has not followed its primary in the time given."""


class NotYet(ApplyError):  # noqa: N818
    """A step was tried, and the world is not ready for it; what it did stands, and nothing after it is done."""


class WriteError(ReconcilerError):
    """A store could not write; what stood before still stands."""


class Unanswered(ReconcilerError):  # noqa: N818 - what happened, as the others
    """A web API gave no whole answer. ``sent``: the request was, so that a change may have been made all the same."""

    def __init__(self, message: str, *, sent: bool) -> None:
        """Keep what decides whether the world has to be read again."""
        self.sent = sent
        super().__init__(message)


class MailError(ReconcilerError):
    """A mailbox could not be copied to the end; what was copied stands, and the next pass goes on from there.

    ``spot``: what was on the wire, where that is known (reconciler.mailcopy.model.suspects).
    """

    spot: object = None


class ConnectionCut(MailError):  # noqa: N818
    """A connection ended before its work; ``words`` are the server's, if it said BYE.

    ``unheard``: the server was silent while commands waited for their answers, more than one.
    """

    def __init__(self, message: str, words: str, *, unheard: bool = False) -> None:
        """Keep the server's words apart: they may ask for a pause."""
        self.words, self.unheard = words, unheard
        super().__init__(message)


class LoginRefused(MailError):  # noqa: N818
    """A server refused the login; the message never holds the password or token."""


class CommandRefused(MailError):  # noqa: N818
    """A server answered NO; ``words`` are its own, with the response code."""

    def __init__(self, message: str, words: str) -> None:
        """Keep the words: their meaning decides what happens next."""
        self.words = words
        super().__init__(message)


class ProtocolBroken(MailError):  # noqa: N818
    """A server answered BAD to a message, or what is no IMAP; nothing more was sent on that connection.

    ``words`` are the server's; ``tag`` is the command's, if it was answered.
    """

    def __init__(self, message: str, words: str = "", tag: bytes = b"") -> None:
        """Keep the words apart, and what they are about."""
        self.words, self.tag = words, tag
        super().__init__(message)


class MailboxSuspect(MailError):  # noqa: N818
    """A mailbox looks empty to an administrator's login, which mostly means that it may not look."""


class JournalError(ReconcilerError):
    """The journal cannot be read or written; without it nothing is changed."""


class Locked(JournalError):  # noqa: N818
    """Another run holds the lock on this move."""
