"""The target is spoken to while the source takes its time, so that nobody ends a silent connection."""

import threading

import pytest

from reconciler.mailcopy.job import State
from tests.fakes.imap_folders import Folder, mails
from tests.fakes.imap_oddity import Oddity
from tests.fakes.imap_server import ImapServer
from tests.support.mail_move import moving

LONG = 20  # seconds, after which the test has failed


class Hears(Oddity):
    """Notes that somebody has said NOOP."""

    def __init__(self, spoken: threading.Event) -> None:
        self.spoken = spoken

    def hear(self, at, command):
        if command.verb == "NOOP":
            self.spoken.set()


class Waits(Oddity):
    """Answers one kind of FETCH only when the other server has been spoken to."""

    def __init__(self, holding: bytes, spoken: threading.Event) -> None:
        self.holding, self.spoken, self.came = holding, spoken, True

    def hear(self, at, command):
        if command.verb == "UID FETCH" and command.holds(self.holding):
            self.came = self.spoken.wait(LONG) and self.came


@pytest.mark.parametrize("what", [b"BODY.PEEK[]", b"RFC822.SIZE"])
def test_a_target_is_kept_awake_while_the_source_is_slow(what: bytes) -> None:
    spoken = threading.Event()
    slow = Waits(what, spoken)
    with moving(ImapServer({b"INBOX": Folder(mails(3))}, slow), ImapServer({}, Hears(spoken))) as move:
        assert move.copy().state is State.DONE
        assert slow.came
        assert move.standing() == {"INBOX": ["hello 1", "hello 2", "hello 3"]}
