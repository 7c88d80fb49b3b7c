"""A pass goes on after a lost connection, as long as it comes further; what ends it, ends it in words."""

from typing import Final, Protocol

from reconciler.errors import (
    CommandRefused,
    ConnectionCut,
    LoginRefused,
    MailboxSuspect,
    ProtocolBroken,
    SecretError,
)
from reconciler.mailcopy.imap.stream import TargetFull
from reconciler.mailcopy.job import Means, State
from reconciler.mailcopy.model.refusal import Meaning, backoff, meaning

_MOST_CUTS: Final = 25
"""Connections that may end one after the other without a message more copied or refused; a batch is halved 10 times."""

_FEW_GIVEN_UP: Final = 10
_MANY_GIVEN_UP: Final = 100
"""Messages in a row that may end the connection alone: where no message has got through, and where some have."""


class Attempting(Protocol):
    """A pass that can be run again."""

    def run(self) -> tuple[State, str]:
        """Everything once; raises MailError where it came to an end early."""

    def say(self, state: State, folder: str = "", words: str = "") -> None:
        """Tell how far it is."""

    def learn(self, error: ConnectionCut | CommandRefused | ProtocolBroken) -> bool:
        """Take the end of a connection as evidence; True if it tells something about what was on the wire."""

    @property
    def settled(self) -> int:
        """Messages and folders of which it is known what became of them."""

    @property
    def given_up(self) -> tuple[int, bool]:
        """Messages given up since the last one got through, and whether any has."""


def persist(attempt: Attempting, means: Means) -> tuple[State, str]:
    """Run it again after a lost connection, until too many attempts in a row have brought nothing over.

    Each cut is evidence about what was on the wire. While that narrows, it goes on.
    """
    failures = cuts = 0
    while True:
        before = attempt.settled
        try:
            return attempt.run()
        except TargetFull as error:
            return State.FULL, str(error)
        except (LoginRefused, SecretError) as error:
            return State.AUTH_LOST, str(error)
        except MailboxSuspect as error:
            return State.SUSPECT, str(error)
        except (ConnectionCut, CommandRefused, ProtocolBroken) as error:
            if isinstance(error, ConnectionCut) and meaning(error.words) is Meaning.USED_UP:
                return State.LIMITED, f"{error}; the rest follows when the provider allows it again"
            narrowed = attempt.learn(error)
            moved = attempt.settled > before
            cuts = 0 if moved else cuts + 1
            failures = 1 if moved else failures + (not narrowed)
            if failures >= means.patience.attempts or cuts >= _MOST_CUTS or _is_hopeless(attempt):
                return State.FAILED, str(error)
            attempt.say(State.WAITING, words=str(error))
            if failures > 1 or (error.words and not narrowed) or meaning(error.words) is Meaning.SLOW_DOWN:
                means.sleep(backoff(max(1, failures), error.words).total_seconds())


def _is_hopeless(attempt: Attempting) -> bool:
    """Whether so much was given up, and nothing got through, that it is the connection and not the messages."""
    given_up, others_passed = attempt.given_up
    return given_up >= (_MANY_GIVEN_UP if others_passed else _FEW_GIVEN_UP)
